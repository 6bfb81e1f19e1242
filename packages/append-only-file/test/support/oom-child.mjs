// Appends records, each durable before it is reported, and holds on to memory until there is none. Argument: the folder.
import { writeSync } from "node:fs";

import { AppendOnlyFile } from "@x/append-only-file";
import { nodeFileSystem } from "@x/append-only-file/node";

const file = await AppendOnlyFile.open(nodeFileSystem(process.argv[2]), {
  name: "log",
  recordSize: 8,
});
const held = [];
for (let i = 0; ; i++) {
  const record = new Uint8Array(8);
  new DataView(record.buffer).setUint32(0, i);
  file.append(record);
  await file.commit();
  writeSync(1, `${i}\n`);
  for (let k = 0; k < 20_000; k++) held.push({ i, k });
}
