import { type StoreExpectation, type StoreOperation, type StoreRange } from "./types.ts";

/** An entry with its key as hexadecimal digits, whose order is that of the bytes. */
export type ModelEntry = readonly [keyHex: string, value: Uint8Array];

/** A store as one would explain it: a map from hexadecimal keys, sorted when somebody asks. */
export class StoreModel {
  readonly #entries: Map<string, Uint8Array>;

  constructor(entries: Iterable<ModelEntry> = []) {
    this.#entries = new Map(entries);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(hexOf(key));
  }

  /** Applies a batch; false, and nothing changed, if an expectation does not hold. */
  batch(operations: readonly StoreOperation[], expect: readonly StoreExpectation[] = []): boolean {
    if (!expect.every(({ key, value }) => same(this.get(key), value))) return false;
    for (const operation of operations) {
      const key = hexOf(operation.key);
      if (operation.type === "put") this.#entries.set(key, new Uint8Array(operation.value));
      else this.#entries.delete(key);
    }
    return true;
  }

  /** The entries of a range, in its order. */
  entries(range: StoreRange = {}): ModelEntry[] {
    const { gte, gt, lte, lt, reverse = false, limit = Infinity } = range;
    const within = [...this.#entries].filter(
      ([key]) =>
        (gte === undefined || hexOf(gte) <= key) &&
        (gt === undefined || hexOf(gt) < key) &&
        (lte === undefined || key <= hexOf(lte)) &&
        (lt === undefined || key < hexOf(lt)),
    );
    const ordered = within.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return (reverse ? ordered.toReversed() : ordered).slice(0, limit);
  }

  clone(): StoreModel {
    return new StoreModel(this.#entries);
  }

  /** One text for one content. */
  digest(): string {
    return this.entries()
      .map(([key, value]) => `${key}=${hexOf(value)}`)
      .join(",");
  }
}

/** Bytes as hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : hexOf(a) === hexOf(b);
}
