export {
  type Bound,
  checkKey,
  checkKeys,
  checkOperations,
  inRange,
  isEmptyRange,
  type ResolvedBatchOptions,
  resolveBatchOptions,
  type ResolvedRange,
  resolveRange,
} from "./arguments.ts";
export { BufferedIterator, type EntrySource } from "./buffered-iterator.ts";
export { type Crc32, crc32, makeCrc32 } from "./crc32.ts";
export { keyText, textKey } from "./key-text.ts";
export { ITERATOR_COUNT_MAX, OpenIterators } from "./open-iterators.ts";
export { compareBytes, copyBytes, sameBytes } from "../bytes.ts";
