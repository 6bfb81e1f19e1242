/**
 * Where things lie in the memory of a kernel: constants, the plan, the work area, digests, messages. The host writes
 * constants once, the plan when it changes, and messages; the kernel writes the rest.
 *
 * The plan says how the messages of one hasher and one size become blocks. Every block is read as it lies among the messages,
 * ANDed with a mask and ORed with a fill, which hold what the prefix left over, the padding and the message's length: so the
 * edges of a message cost neither a copy nor a branch. Bytes of the neighbours are read along, and masked.
 */

/** Constants of the algorithm, at most 512 bytes. */
export const TABLE = 0;
/** Mask and fill of a block that is all message. */
export const MIDDLE = 512;

/** The plan begins here, with the state after the prefix's whole blocks. The longest is Keccak's, of 200 bytes. */
export const PLAN = 1024;
/** Bytes hashed before the first block of the plan, and after the last one: two unsigned 64-bit integers. */
export const BYTES_BEFORE: number = PLAN + 208;
export const BYTES_TOTAL: number = PLAN + 216;
/** 1 if the last block is the same for all messages and its words stand at {@link SCHEDULE}, otherwise 0. */
export const IS_LAST_CONSTANT: number = PLAN + 224;
/** Mask and fill of the first block, the last but one, and the last. A message of one or two blocks uses the later ones. */
export const FIRST: number = PLAN + 240;
/** From a mask to its fill: a block of any algorithm in whole vectors. */
export const FILL = 144;
/** Bytes in a mask and its fill. */
export const EDGE_SIZE: number = 2 * FILL;
export const PENULTIMATE: number = FIRST + EDGE_SIZE;
export const LAST: number = PENULTIMATE + EDGE_SIZE;
/** The 64 words that SHA-256 makes of a constant last block. */
export const SCHEDULE: number = LAST + EDGE_SIZE;
/** Bytes in a plan. */
export const PLAN_SIZE: number = SCHEDULE + 256 - PLAN;

/** Chaining state, all lanes. */
export const STATE = 2560;
/** Words of the block that is compressed, all lanes, and for SHA-256 those made of them: 64 of 16 bytes. */
export const MESSAGE = 3072;

/** Digests. */
export const OUTPUT = 4096;
/** Bytes in a digest. */
export const DIGEST_SIZE = 32;
/** Digests in one call of a kernel, at most: messages and digests of a call stay in a first-level cache. */
export const COUNT_MAX = 256;

/** Bytes that a kernel may read before the first message and after the last one. */
const MARGIN = 256;
/** Messages. */
export const INPUT: number = OUTPUT + COUNT_MAX * DIGEST_SIZE + MARGIN;
/** Pages of 64 KiB. Longer packs take several calls, longer messages are absorbed piece by piece; memory never grows. */
export const PAGES = 1;
/** Bytes of messages in one call of a kernel, at most. */
export const INPUT_SIZE: number = PAGES * 65536 - INPUT - MARGIN;
