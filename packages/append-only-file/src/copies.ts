import { AofError } from "./errors.ts";
import { COPY_BYTES } from "./copy-bytes.ts";
import { type LayeredFile } from "./group-file.ts";
import { type Medium, type MediumFile } from "./medium.ts";
import { savedName } from "./own-names.ts";

/** What a copy shows: the state that was applied when it was taken. */
interface Pin {
  /** Changes noted before this number happened before the copy. */
  readonly since: number;
  /** Bytes per file. */
  readonly sizes: readonly number[];
}

/** Bytes that a change was about to take away while copies still needed them. */
interface Saved {
  readonly number: number;
  readonly index: number;
  /** Where they were in the file. */
  readonly from: number;
  readonly name: string;
  readonly file: MediumFile;
}

/** A change that was announced and has not happened yet. */
interface Change {
  readonly parts: readonly { readonly index: number; readonly from: number }[];
  /** First piece saved for a copy taken since the announcement; another copy may share it. */
  sharedSince: number | undefined;
}

/**
 * The copies of a group that are being read, and the old bytes they still need.
 *
 * A copy reads the files themselves. Appends do not disturb it: it ends where they begin. Before a rewind or a rewrite takes bytes
 * away that a copy shows, they are put into a temporary file, once for all copies; that file goes when no copy needs it.
 *
 * Invariant: a byte of a copy is in the first saved piece, of those noted since the copy was taken, that reaches down to it; in the
 * file when there is none.
 */
export class Copies {
  readonly #medium: Medium;
  readonly #prefix: string;
  readonly #files: readonly LayeredFile[];
  readonly #copiesMax: number;
  // Weak, so that an abandoned copy does not keep its bytes for ever.
  #pins = new Set<WeakRef<Pin>>();
  #saved: Saved[] = [];
  #next = 0;
  #change: Change | undefined;
  #closed = false;

  constructor(medium: Medium, prefix: string, files: readonly LayeredFile[], copiesMax: number) {
    this.#medium = medium;
    this.#prefix = prefix;
    this.#files = files;
    this.#copiesMax = copiesMax;
  }

  /** Copies that are neither read to the end nor collected. */
  get count(): number {
    return this.#pins.size;
  }

  /** Whether bytes are about to change: {@link Copies.protect} was called, {@link Copies.settled} was not. */
  get changing(): boolean {
    return this.#change !== undefined;
  }

  /**
   * Takes a copy of what is applied now.
   *
   * @throws AofError `AOF_TOO_MANY`; while bytes are about to change, also what saving them throws
   */
  take(): Copy {
    if (this.#pins.size >= this.#copiesMax) this.#forgetDead();
    if (this.#pins.size >= this.#copiesMax) {
      throw new AofError("AOF_TOO_MANY", `${this.#pins.size} copies are being read`);
    }
    const pin = { since: this.#sinceNow(), sizes: this.#files.map((file) => file.applied) };
    const weak = new WeakRef(pin);
    this.#pins.add(weak);
    return new Copy(
      pin.sizes,
      (index, at, length) => this.#read(pin, index, at, length),
      () => {
        this.#pins.delete(weak);
        this.#release();
      },
    );
  }

  /**
   * Saves what copies still need of the bytes from `from` to the end of each file, which are about to go; until
   * {@link Copies.settled} is called, copies taken meanwhile save what they need.
   *
   * @throws AofError when they cannot be saved; nothing has changed then
   */
  protect(parts: Change["parts"]): void {
    this.#forgetDead();
    for (const { index, from } of parts) {
      const file = this.#files[index];
      let end = 0;
      for (const pin of this.#live()) end = Math.max(end, pin.sizes[index] ?? 0);
      end = Math.min(end, file?.applied ?? 0);
      if (file !== undefined && from < end) this.#save(file, index, from, end);
    }
    this.#change = { parts, sharedSince: undefined };
  }

  /** The change that was announced last has happened, or will not. */
  settled(): void {
    this.#change = undefined;
  }

  /** Ends all copies: they cannot be read any more. */
  close(): void {
    this.#closed = true;
    this.#pins.clear();
    this.#release();
  }

  /** From which number on a copy taken now finds its saved pieces, after saving what is about to go. */
  #sinceNow(): number {
    const since = this.#next;
    const change = this.#change;
    if (change === undefined) return since;
    const { parts, sharedSince } = change;
    if (this.#saved.some(({ number }) => number === sharedSince)) return sharedSince ?? since;
    try {
      for (const { index, from } of parts) {
        const file = this.#files[index];
        if (file !== undefined && from < file.applied) this.#save(file, index, from, file.applied);
      }
    } catch (error) {
      this.#release();
      throw error;
    }
    change.sharedSince = since;
    return since;
  }

  #save(file: LayeredFile, index: number, from: number, end: number): void {
    const number = this.#next++;
    const name = savedName(this.#prefix, number);
    const target = this.#medium.open(name, "createNew");
    try {
      const buffer = this.#medium.allocate(Math.min(COPY_BYTES, end - from));
      for (let at = from; at < end; at += buffer.length) {
        const piece = buffer.subarray(0, end - at);
        file.file.readInto(at, piece);
        target.write(at - from, piece);
      }
    } catch (error) {
      this.#drop(name, target);
      throw error;
    }
    this.#saved.push({ number, index, from, name, file: target });
  }

  #read(pin: Pin, index: number, at: number, length: number): Uint8Array<ArrayBuffer> {
    if (this.#closed) throw new AofError("AOF_CLOSED", "the group was closed under its copy");
    const bytes = this.#medium.allocate(length);
    // Later pieces are laid below earlier ones: each takes what none before it has.
    let end = at + length;
    for (const { number, index: of, from, file } of this.#saved) {
      if (number < pin.since || of !== index || from >= end) continue;
      const begin = Math.max(at, from);
      file.readInto(begin - from, bytes.subarray(begin - at, end - at));
      end = begin;
    }
    if (end > at) this.#files[index]?.file.readInto(at, bytes.subarray(0, end - at));
    return bytes;
  }

  #live(): Pin[] {
    return [...this.#pins].flatMap((weak) => weak.deref() ?? []);
  }

  #forgetDead(): void {
    for (const weak of this.#pins) if (weak.deref() === undefined) this.#pins.delete(weak);
    this.#release();
  }

  /** Removes saved pieces that are older than every copy. */
  #release(): void {
    if (this.#saved.length === 0) return;
    let since = Infinity;
    for (const pin of this.#live()) since = Math.min(since, pin.since);
    const needless = this.#saved.filter((piece) => piece.number < since);
    if (needless.length === 0) return;
    this.#saved = this.#saved.filter((piece) => piece.number >= since);
    for (const { name, file } of needless) this.#drop(name, file);
  }

  #drop(name: string, file: MediumFile): void {
    try {
      file.close();
      this.#medium.remove(name);
    } catch {
      // Only space is lost, until the next opening removes it.
    }
  }
}

/**
 * A consistent copy of a group's files, as of the moment it was taken: what had been acknowledged then, and perhaps commits that
 * were written and waited for their sync.
 *
 * It can be read while writing goes on. Closing the group ends it.
 */
export class Copy {
  /** Bytes of each append file, in layout order. */
  readonly sizes: readonly number[];
  readonly #read: (index: number, at: number, length: number) => Uint8Array<ArrayBuffer>;
  readonly #release: () => void;

  /** @internal */
  constructor(
    sizes: readonly number[],
    read: (index: number, at: number, length: number) => Uint8Array<ArrayBuffer>,
    release: () => void,
  ) {
    this.sizes = sizes;
    this.#read = read;
    this.#release = release;
  }

  /**
   * The bytes of one file in pieces of at most 64 KiB; each is fresh.
   *
   * @yields pieces, in order
   * @throws AofError `AOF_CLOSED` once the group is closed; as reading does
   */
  async *bytes(index: number): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    const size = this.sizes[index] ?? 0;
    for (let at = 0; at < size; at += PIECE_BYTES) {
      yield this.#read(index, at, Math.min(PIECE_BYTES, size - at));
    }
  }

  /** As {@link Copy.bytes}; closes the copy when it ends, fails or is returned, even before the first piece was asked for. */
  stream(index: number): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    const pieces = this.bytes(index);
    const stream: AsyncIterableIterator<Uint8Array<ArrayBuffer>> = {
      next: async () => {
        try {
          const next = await pieces.next();
          if (next.done === true) this.close();
          return next;
        } catch (error) {
          this.close();
          throw error;
        }
      },
      return: async () => {
        this.close();
        return pieces.return();
      },
      [Symbol.asyncIterator]: () => stream,
    };
    return stream;
  }

  /** Frees what is kept for this copy. A copy that nobody refers to any more is freed as well, later. */
  close(): void {
    this.#release();
  }
}

/** Bytes a copy hands out at once. */
const PIECE_BYTES = 64 * 1024;
