import { type ClippedRange } from "./clip.ts";
import { AofError } from "./errors.ts";
import { type OpenFile } from "./file-system.ts";
import { type MediumFile } from "./medium.ts";

/** A file as recovery would leave it, without touching it: the medium's bytes with the journal's laid over them. */
export class OverlayFile implements OpenFile {
  readonly #below: MediumFile | undefined;
  readonly #ranges: readonly ClippedRange[];
  readonly #size: number;

  /**
   * @param below - `undefined` for a file that is not there, which reads as empty
   * @param ranges - disjoint, ascending
   */
  constructor(below: MediumFile | undefined, ranges: readonly ClippedRange[], size: number) {
    this.#below = below;
    this.#ranges = ranges.filter((range) => range.bytes !== undefined);
    this.#size = size;
  }

  size(): number {
    return this.#size;
  }

  read(at: number, into: Uint8Array): number {
    const length = Math.min(into.length, this.#size - at);
    if (length <= 0) return 0;
    const index = this.#firstEndingAfter(at);
    const range = this.#ranges[index];
    if (range?.bytes !== undefined && range.at <= at) {
      const bytes = range.bytes.subarray(at - range.at, at - range.at + length);
      into.set(bytes);
      return bytes.length;
    }
    const part = Math.min(length, (range?.at ?? Infinity) - at);
    return this.#below?.readSome(at, into.subarray(0, part)) ?? 0;
  }

  write(): number {
    throw readOnly();
  }

  truncate(): void {
    throw readOnly();
  }

  async sync(): Promise<void> {
    throw readOnly();
  }

  syncNow(): void {
    throw readOnly();
  }

  close(): void {
    this.#below?.close();
  }

  #firstEndingAfter(at: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && range.at + range.length <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function readOnly(): AofError {
  return new AofError("AOF_READ_ONLY", "the group was opened for reading only");
}
