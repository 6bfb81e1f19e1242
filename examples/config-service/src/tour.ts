import { type Change, type ConfigService } from "./config-service.ts";

/** Goes through a review, a conflict, a release and a step back, and tells what it sees. */
export async function tour(service: ConfigService, tell: (line: string) => void): Promise<void> {
  await service.propose("start", { "http/port": 80, "http/host": "example.org" }, ada("begin"));
  await service.approve("start", ada("approve: begin"));
  await service.release("v1");

  // Two reviews at the same time, which do not agree about the port.
  await service.propose("tls", { "http/port": 443, "http/tls": true }, ada("switch to TLS"));
  await service.propose("proxy", { "http/port": 8080, "http/proxies": ["10.0.0.1"] }, bob("proxy"));
  await service.approve("tls", ada("approve: switch to TLS"));

  for (const { type, key } of await service.changes("proxy")) tell(`proxy: ${key} ${type}`);
  for (const { key, bases, source, target } of await service.conflicts("proxy"))
    tell(
      `conflict: ${key} was ${String(bases[0])}, is ${String(target)}, would be ${String(source)}`,
    );

  const merged = await service.approve("proxy", bob("approve: proxy"), () => 8443);
  tell(`http/port is ${String(await service.get("http/port"))}`);

  const { author, message } = (await service.origin("http/tls")) ?? {};
  tell(`http/tls is from ${author}: ${message}`);

  await service.takeBack(merged, bob("no proxy after all"));
  tell(`http/port is ${String(await service.get("http/port"))} again`);
  for (const { type, key } of await service.since("v1")) tell(`since v1: ${key} ${type}`);
  tell("");
  tell(await service.graph("text"));
}

function ada(message: string): Change {
  return { author: "Ada", message };
}

function bob(message: string): Change {
  return { author: "Bob", message };
}
