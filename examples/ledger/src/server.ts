import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { answer, toHex } from "./answer.ts";
import { type Ledger } from "./ledger.ts";

/** A server that runs until it is closed. */
export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page, the present root, and proofs, on the loopback interface. Port 0: any free one. */
export async function serve(
  ledger: Ledger,
  metrics: () => Promise<string>,
  port = 0,
): Promise<RunningServer> {
  const html = await readFile(new URL("../page/index.html", import.meta.url));
  const script = await bundlePage();
  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      response.writeHead(400, { "content-type": "text/plain" });
      response.end(error instanceof Error ? error.message : "the request failed");
    });
  });
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${taken}`, close: () => closed(server) };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const [type, body] = await contentOf(url);
    response.writeHead(body === undefined ? 404 : 200, { "content-type": type });
    response.end(body ?? "there is no such page");
  }

  async function contentOf(url: URL): Promise<[type: string, body?: string | Buffer]> {
    if (url.pathname === "/") return ["text/html", html];
    if (url.pathname === "/page.js") return ["text/javascript", script];
    if (url.pathname === "/root") return ["text/plain", toHex(ledger.root)];
    if (url.pathname === "/metrics") return ["text/plain", await metrics()];
    if (url.pathname !== "/proof") return ["text/plain"];
    const root = Buffer.from(url.searchParams.get("root") ?? "", "hex");
    const account = url.searchParams.get("account") ?? "";
    return ["application/json", JSON.stringify(await answer(ledger, root, account))];
  }
}

/** The page's script with the verifier, as one file that imports nothing. */
export async function bundlePage(): Promise<string> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL("../page/main.ts", import.meta.url)),
    platform: "browser",
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  return output[0].code;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
}
