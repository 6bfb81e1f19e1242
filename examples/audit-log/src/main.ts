// An audit log that can prove every entry: whoever kept a root once can check later that an entry was there, unchanged, at
// that place. Run it twice: the log goes on, and roots handed out before stay good.

import { nodeFileSystem } from "@x/append-only-file/node";
import { bytesCodec, leafPosition } from "@x/pmmr";
import { openPmmr } from "@x/pmmr/file";
import { verifyMerkleProof } from "@x/pmmr/verify";

const log = await openPmmr(nodeFileSystem("audit-log-data"), { codec: bytesCodec() });
const entry = new TextEncoder().encode(`entry ${log.pmmr.leafCount}: alice opened the safe`);

const pos0 = log.pmmr.push(entry); // in memory
await log.commit(); // on the disk, whatever happens next

// What an auditor keeps: 32 bytes and a number. What a doubter is shown: the entry and a proof.
const receipt = { root: log.pmmr.root(), size: log.pmmr.size };
const proof = log.pmmr.merkleProof(pos0);

console.log(`${log.pmmr.leafCount} entries, proof of ${proof.path.length} hashes`);
console.log(
  "the entry is in the log:",
  verifyMerkleProof({ ...receipt, pos0, hashForm: entry, proof }),
);
const changed = new TextEncoder().encode("entry 0: nobody opened the safe");
console.log("a changed one is:", verifyMerkleProof({ ...receipt, pos0, hashForm: changed, proof }));
console.log("the first entry:", new TextDecoder().decode(log.pmmr.element(leafPosition(0))));
await log.close();
