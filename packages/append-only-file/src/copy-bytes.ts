import { checkBytes } from "./bytes.ts";
import { type Allocate, type MediumFile } from "./medium.ts";

/** Bytes moved at once. */
export const COPY_BYTES: number = 256 * 1024;

/** After this many bytes the target is synced: the system writes back steadily, and other work gets its turn. */
const SYNC_BYTES = 32 * 1024 * 1024;

/** Looks at a running copy. */
export interface CopyWatch {
  readonly allocate?: Allocate;
  /** Called after each write with its bytes; an exception ends the copy. */
  readonly onBytes?: (count: number) => void;
}

/**
 * Writes the given pieces one after another from the target's start, in large writes, with memory for one.
 *
 * @param pieces - not kept beyond their turn
 * @returns bytes written
 */
export async function writePieces(
  target: MediumFile,
  pieces: Iterable<Uint8Array>,
  { allocate = (bytes) => new Uint8Array(bytes), onBytes = () => undefined }: CopyWatch = {},
): Promise<number> {
  const buffer = allocate(COPY_BYTES);
  let held = 0;
  let at = 0;
  let synced = 0;
  const flush = (): void => {
    target.write(at, buffer.subarray(0, held));
    at += held;
    const count = held;
    held = 0;
    if (count > 0) onBytes(count);
  };
  for (const piece of pieces) {
    checkBytes("a piece", piece);
    for (let done = 0; done < piece.length;) {
      const part = piece.subarray(done, done + COPY_BYTES - held);
      buffer.set(part, held);
      held += part.length;
      done += part.length;
      if (held === COPY_BYTES) flush();
    }
    if (at - synced >= SYNC_BYTES) {
      await target.sync();
      synced = at;
    }
  }
  flush();
  return at;
}

/**
 * Copies byte ranges of one file one after another into another, reading no byte twice.
 *
 * @param ranges - ascending, disjoint, and below `end`
 * @returns bytes written
 */
export async function copyBytes(
  source: MediumFile,
  end: number,
  target: MediumFile,
  ranges: Iterable<readonly [begin: number, end: number]>,
  watch: CopyWatch = {},
): Promise<number> {
  return writePieces(target, piecesOf(source, end, ranges, watch.allocate), watch);
}

/**
 * The bytes of ranges.
 *
 * @yields a piece that is valid until the next is asked for
 */
function* piecesOf(
  source: MediumFile,
  sourceEnd: number,
  ranges: Iterable<readonly [begin: number, end: number]>,
  allocate: Allocate = (bytes) => new Uint8Array(bytes),
): Generator<Uint8Array, void> {
  const buffer = allocate(COPY_BYTES);
  let from = 0;
  let to = 0;
  for (const [begin, end] of ranges) {
    for (let at = begin; at < end;) {
      if (at >= to) {
        from = at;
        to = Math.min(at + COPY_BYTES, sourceEnd);
        source.readInto(from, buffer.subarray(0, to - from));
      }
      const next = Math.min(end, to);
      yield buffer.subarray(at - from, next - from);
      at = next;
    }
  }
}
