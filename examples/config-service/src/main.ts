// A configuration service whose changes are reviewed on branches. It tells what happens, prints the history, and draws it
// into config-history.svg.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "@x/store-level";
import { ConfigService } from "./config-service.ts";
import { tour } from "./tour.ts";

const folder = await mkdtemp(join(tmpdir(), "config-service-"));
const store = await open(folder);
try {
  const service = await ConfigService.open(store);
  await tour(service, (line) => console.log(line));
  await writeFile("config-history.svg", await service.graph("svg"));
  console.log("\ndrawn: config-history.svg");
  await service.close();
} finally {
  await store.close();
  await rm(folder, { recursive: true });
}
