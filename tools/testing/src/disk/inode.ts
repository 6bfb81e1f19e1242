import { type Random } from "../random.ts";
import { Content } from "./content.ts";

/** Bytes a disk writes at once; a cut inside one is a torn sector. */
export const SECTOR = 512;

/** What a name can stand for. Only a `file` can be opened. */
export type InodeKind = "file" | "folder" | "link" | "pipe";

/** Something handed to the system that the medium may not have yet. */
interface Pending {
  /** Rises with every change of the inode. */
  readonly sequence: number;
  readonly at: number;
  /** Absent for a resize. */
  readonly bytes: Uint8Array | undefined;
  /** The new end, where this moves it. */
  readonly end: number | undefined;
}

/** What can reach the medium on its own: a part of a sector, or the new end of the file. */
interface Piece {
  readonly pending: number;
  /** Half-open range of the pending bytes; absent for the end of the file. */
  readonly range: readonly [from: number, to: number] | undefined;
}

/** Which pieces of an inode reach the medium. */
export interface Choice {
  readonly chosen: (index: number, count: number) => boolean;
  /** Cuts the last chosen sector at a random byte and may fill unwritten parts of an extension with garbage. */
  readonly tear?: Random;
}

/**
 * A file on the simulated disk: what the medium holds, what it has been told but may not hold yet, and what
 * readers see.
 *
 * Invariant: without a failed sync, the durable bytes with all pending changes applied are the visible bytes.
 */
export class Inode {
  readonly kind: InodeKind;
  #durable: Content;
  #visible: Content;
  #pending: Pending[];
  #sequence = 0;

  constructor(
    kind: InodeKind = "file",
    durable: Content = new Content(),
    visible: Content = new Content(),
    pending: Pending[] = [],
    sequence = 0,
  ) {
    this.kind = kind;
    this.#durable = durable;
    this.#visible = visible;
    this.#pending = pending;
    this.#sequence = sequence;
  }

  get size(): number {
    return this.#visible.length;
  }

  /** Names the last change, for {@link settle}. */
  get sequence(): number {
    return this.#sequence;
  }

  read(at: number, into: Uint8Array): number {
    return this.#visible.read(at, into);
  }

  write(at: number, from: Uint8Array): void {
    if (from.length === 0) return;
    const end = at + from.length > this.#visible.length ? at + from.length : undefined;
    this.#visible.write(at, from);
    this.#pending.push({ sequence: ++this.#sequence, at, bytes: from.slice(), end });
  }

  resize(size: number): void {
    this.#visible.resize(size);
    this.#pending.push({ sequence: ++this.#sequence, at: size, bytes: undefined, end: size });
  }

  /** A sync that worked: pending changes up to `sequence` are on the medium. */
  settle(sequence: number): void {
    for (const pending of this.#take(sequence)) apply(this.#durable, pending);
  }

  /** A sync that failed: they never will be, and readers go on seeing them. */
  lose(sequence: number): void {
    this.#take(sequence);
  }

  /** Bytes readers see; fresh. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#visible.toBytes();
  }

  /** Replaces the content on the medium and for readers alike. */
  put(bytes: Uint8Array): void {
    const content = new Content();
    content.write(0, bytes);
    this.#durable = content;
    this.#visible = content.share();
    this.#pending = [];
  }

  /** Changes one byte on the medium and for readers alike; pending changes stay pending. */
  pokeByte(at: number, byte: number): void {
    const one = Uint8Array.of(byte);
    if (at < this.#durable.length) this.#durable.write(at, one);
    if (at < this.#visible.length) this.#visible.write(at, one);
  }

  fork(): Inode {
    return new Inode(
      this.kind,
      this.#durable.share(),
      this.#visible.share(),
      this.#pending.slice(),
      this.#sequence,
    );
  }

  /** How many pieces could reach the medium on their own. */
  pieceCount(): number {
    return this.#pieces(undefined).length;
  }

  /** The file after a power cut in which only the chosen pieces (by default none) reached the medium. */
  crash(choice: Choice | undefined, order: Random | undefined): Inode {
    const durable = this.#durable.share();
    if (choice === undefined || this.#pending.length === 0) {
      return new Inode(this.kind, durable, durable.share());
    }
    const pieces = this.#pieces(order);
    const chosen = pieces.filter((_, i) => choice.chosen(i, pieces.length));
    if (choice.tear !== undefined) tearLast(chosen, choice.tear);
    for (let i = 0; i < this.#pending.length; i++) {
      const mine = chosen.filter((piece) => piece.pending === i);
      if (mine.length > 0) applySome(durable, this.#pending[i], mine, choice.tear);
    }
    durable.clearBeyondEnd();
    return new Inode(this.kind, durable, durable.share());
  }

  #take(sequence: number): Pending[] {
    const taken = this.#pending.filter((pending) => pending.sequence <= sequence);
    this.#pending = this.#pending.filter((pending) => pending.sequence > sequence);
    return taken;
  }

  /** Pending changes cut into pieces. The end of a file may move before or after the data: a coin, or before. */
  #pieces(order: Random | undefined): Piece[] {
    const pieces: Piece[] = [];
    for (const [i, pending] of this.#pending.entries()) {
      const end: Piece[] = pending.end === undefined ? [] : [{ pending: i, range: undefined }];
      const data: Piece[] = sectors(pending).map((range) => ({ pending: i, range }));
      const endFirst = order === undefined || order.chance(0.5);
      for (const piece of endFirst ? end : data) pieces.push(piece);
      for (const piece of endFirst ? data : end) pieces.push(piece);
    }
    return pieces;
  }
}

function sectors({ at, bytes }: Pending): (readonly [number, number])[] {
  if (bytes === undefined) return [];
  const ranges: (readonly [number, number])[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + SECTOR - ((at + from) % SECTOR));
    ranges.push([from, to]);
    from = to;
  }
  return ranges;
}

function apply(content: Content, { at, bytes, end }: Pending): void {
  if (bytes === undefined) content.resize(end ?? at);
  else content.write(at, bytes);
}

function applySome(
  content: Content,
  pending: Pending | undefined,
  pieces: readonly Piece[],
  garbage: Random | undefined,
): void {
  if (pending === undefined) return;
  const { at, bytes, end } = pending;
  if (end !== undefined && pieces.some((piece) => piece.range === undefined)) {
    moveEnd(content, end, bytes === undefined ? undefined : garbage);
  }
  for (const { range } of pieces) {
    if (range !== undefined) content.poke(at + range[0], bytes?.subarray(...range) ?? NOTHING);
  }
}

const NOTHING = new Uint8Array(0);
/** Longest extension that is filled with garbage, in bytes. */
const GARBAGE_BYTES_MAX = 1 << 16;

function moveEnd(content: Content, end: number, garbage: Random | undefined): void {
  const before = content.length;
  content.setEnd(end);
  if (end < before) content.clearBeyondEnd();
  else if (garbage?.chance(0.5) === true && end - before <= GARBAGE_BYTES_MAX) {
    content.poke(before, garbage.bytes(end - before));
  }
}

function tearLast(chosen: Piece[], random: Random): void {
  for (let i = chosen.length - 1; i >= 0; i--) {
    const piece = chosen[i];
    if (piece?.range === undefined) continue;
    const [from, to] = piece.range;
    chosen[i] = { pending: piece.pending, range: [from, from + random.below(to - from)] };
    return;
  }
}
