// Opens a store, writes a batch, closes it, and says how that went. With `hold` it keeps it open for a moment.
import { writeSync } from "node:fs";

import { open } from "@x/store-level";

const [folder, hold] = process.argv.slice(2);
try {
  const store = await open(folder);
  await store.batch([{ type: "put", key: Uint8Array.of(9), value: Uint8Array.of(9) }]);
  if (hold !== undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  await store.close();
  writeSync(1, "opened\n");
} catch (error) {
  writeSync(1, `${error.code ?? error.stack}\n`);
}
