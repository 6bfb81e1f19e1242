// Opens a new LevelDB as classic-level does, and writes a little to it without syncing. Argument: the folder.
import { writeSync } from "node:fs";

import { ClassicLevel } from "classic-level";

const database = new ClassicLevel(process.argv[2]);
await database.open();
for (let i = 0; i < 200; i++)
  await database.batch([{ type: "put", key: `${i}`, value: "v".repeat(500) }]);
writeSync(1, "written\n");
// Until it is killed.
setInterval(() => undefined, 1000);
