import { createHash } from "node:crypto";

import { Random } from "../random.ts";
import { DiskError, type DiskErrorCode, diskError } from "./error.ts";
import { Folder } from "./folder.ts";
import { type Choice, Inode, type InodeKind } from "./inode.ts";

/**
 * A disk in memory that can lose power, tear, reorder and fail at every single operation.
 *
 * It implements the file-system interface of `@x/append-only-file` by shape, so that nothing here depends on what it
 * tests. The rules of the medium are the harshest that real ones follow:
 *
 * 1. What was written to a file since its last sync reaches the medium as any subset of 512-byte sectors; a new length
 *    may arrive without its data and data without its length.
 * 2. What was changed in the folder since its last sync arrives as any subset. A rename is one change.
 * 3. Syncing a file does not make its name durable; syncing the folder does not make data durable.
 * 4. A sync covers what was pending when it was called. A failed sync of a file loses that for good, while readers go on
 *    seeing it; a failed sync of the folder loses nothing.
 * 5. A killed process loses its open files and locks and nothing else.
 */
export class SimulatedDisk {
  #folder: Folder;
  #random: Random;
  readonly #short: Random | undefined;
  readonly #options: DiskOptions;
  readonly #locks = new Set<string>();
  #faults: Fault[] = [];
  #openFiles = 0;

  /** Called before every operation, with what is about to happen. What it throws, the operation throws. */
  before: ((operation: DiskOperation) => void) | undefined;
  /** Operations so far, by kind. */
  readonly stats: DiskStats = emptyStats();

  constructor(options: DiskOptions = {}, folder: Folder = new Folder()) {
    this.#folder = folder;
    this.#options = options;
    this.#random = new Random(options.seed ?? 0);
    this.#short = options.shortRate === undefined ? undefined : new Random(~(options.seed ?? 0));
  }

  /** Operations so far; the number of the next one. */
  get operations(): number {
    return this.stats.operations;
  }

  /** Files that were opened and not closed. */
  get openFiles(): number {
    return this.#openFiles;
  }

  // The interface under test.

  open(name: string, mode: "existing" | "create" | "createNew"): SimulatedFile {
    checkName(name);
    const before = this.#folder.get(name);
    const creates = before === undefined && mode !== "existing";
    this.perform(creates ? "create" : "open", name, creates);
    const inode = this.#folder.get(name);
    if (inode !== undefined && mode === "createNew") throw diskError("EEXIST", "open", name);
    if (inode !== undefined && inode.kind !== "file") throw notAFile(name, inode.kind);
    if (inode === undefined && mode === "existing") throw diskError("ENOENT", "open", name);
    const opened = inode ?? new Inode();
    if (inode === undefined) this.#folder.link(name, opened);
    this.#openFiles++;
    return new SimulatedFile(this, name, opened, () => {
      this.#openFiles--;
    });
  }

  rename(from: string, to: string): void {
    checkName(from);
    checkName(to);
    this.perform("rename", from, true);
    const inode = this.#folder.get(from);
    if (inode === undefined) throw diskError("ENOENT", "rename", from);
    if (this.#folder.get(to)?.kind === "folder") throw diskError("EISDIR", "rename", to);
    if (this.#folder.get(to) !== inode) this.#folder.rename(from, to, inode);
  }

  remove(name: string): void {
    checkName(name);
    this.perform("remove", name, true);
    const inode = this.#folder.get(name);
    if (inode === undefined) throw diskError("ENOENT", "remove", name);
    if (inode.kind === "folder") throw diskError("EISDIR", "remove", name);
    this.#folder.unlink(name);
  }

  list(): string[] {
    this.perform("list", "", false);
    return this.#folder.names();
  }

  async sync(): Promise<void> {
    await this.turns();
    this.syncNow();
  }

  syncNow(): void {
    this.perform("folderSync", "", true);
    this.#folder.settle();
  }

  /** Locks live in memory: a crash of any kind drops them. */
  lock(name: string): () => void {
    checkName(name);
    this.perform("lock", name, false);
    if (this.#locks.has(name)) throw new DiskError("AOF_LOCKED", `${name} is held`);
    this.#locks.add(name);
    let held = true;
    return () => {
      if (held) this.#locks.delete(name);
      held = false;
    };
  }

  readonly sha256 = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  };

  readonly randomBytes = (count: number): Uint8Array<ArrayBuffer> => this.#random.bytes(count);

  // Power.

  /** The same disk at this moment, seen by nobody: no open files, no locks, no faults, counters at zero. */
  fork(): SimulatedDisk {
    const inodes = new Map<Inode, Inode>();
    for (const inode of this.#folder.inodes()) inodes.set(inode, inode.fork());
    const copy = new SimulatedDisk(this.#options, this.#folder.map(inodes));
    copy.#random = this.#random.clone();
    return copy;
  }

  /**
   * What is left after a crash; this disk stays as it is.
   *
   * | mode    | file data                                             | folder              |
   * | ------- | ----------------------------------------------------- | ------------------- |
   * | kill    | all, and what was not synced can still be lost        | the same            |
   * | none    | only what was synced                                  | only what was synced |
   * | prefix  | a random number of the pending sectors, in order      | likewise            |
   * | subset  | each pending sector with one random probability       | likewise            |
   * | reverse | a random number of the last pending sectors           | a random subset     |
   * | tear    | prefix or subset, the last sector cut at a random byte; an extension without its data may be garbage | likewise |
   */
  crash(mode: CrashMode, random: Random): SimulatedDisk {
    if (mode === "kill") {
      const killed = this.fork();
      killed.#random = new Random(random.next());
      return killed;
    }
    if (mode === "none")
      return this.#cut(
        () => false,
        () => undefined,
        random,
      );
    const choose = chooser(mode, random);
    const folder = mode === "reverse" ? chooser("subset", random)() : choose();
    const tear = mode === "tear" ? { tear: random } : {};
    return this.#cut(folder, () => ({ chosen: choose(), ...tear }), random);
  }

  /** How many things could reach the medium, or not, on their own: `crashes` makes two to this power disks. */
  pendingPieces(): number {
    let count = this.#folder.pendingCount();
    for (const inode of this.#folder.inodes()) count += inode.pieceCount();
    return count;
  }

  /**
   * Every disk that a power cut could leave, one for each subset of what is pending.
   *
   * @param piecesMax - refuses more pieces than this; default 16
   * @yields each such disk; those that differ only in bytes nobody can see are not merged
   * @throws RangeError for more pieces
   */
  *crashes(piecesMax = 16): Generator<SimulatedDisk, void> {
    const count = this.pendingPieces();
    if (count > piecesMax) {
      throw new RangeError(`${count} pending pieces, at most ${piecesMax} can be enumerated`);
    }
    for (let mask = 0; mask < 2 ** count; mask++) {
      let next = 0;
      const take = (pieces: number): Choice => {
        const first = next;
        next += pieces;
        return { chosen: (index) => ((mask >>> (first + index)) & 1) === 1 };
      };
      const folder = take(this.#folder.pendingCount()).chosen;
      yield this.#cut(folder, (inode) => take(inode.pieceCount()), undefined, mask);
    }
  }

  // Faults.

  /** Makes operation number `at` (counted from 0 over the life of this disk) fail. */
  failAt(at: number, code: DiskErrorCode, options: FaultOptions = {}): void {
    this.#faults.push({ at, code, ...options });
  }

  /** Makes a read or write at operation `at` transfer only `bytes` bytes; 0 is allowed. */
  shortAt(at: number, bytes: number, options: { readonly persistent?: boolean } = {}): void {
    this.#faults.push({ at, bytes, ...options });
  }

  /** Ends all faults: space was freed, the cable is back. What was lost stays lost. */
  mend(): void {
    this.#faults = [];
  }

  // Looking and tampering from outside; none of this counts as an operation.

  /** Names on the disk, sorted. */
  names(): string[] {
    return this.#folder.names().toSorted();
  }

  /** Bytes of a file as a reader would see them, fresh; `undefined` where there is none. */
  bytesOf(name: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#folder.get(name)?.toBytes();
  }

  /** Size of a file in bytes; `undefined` where there is none. */
  sizeOf(name: string): number | undefined {
    return this.#folder.get(name)?.size;
  }

  /** Puts a file there, durable, replacing what had the name. `bytes` is copied. */
  put(name: string, bytes: Uint8Array): void {
    checkName(name);
    const inode = new Inode();
    inode.put(bytes);
    this.#folder.plant(name, inode);
  }

  /** Puts something there that is not a file. */
  plant(name: string, kind: Exclude<InodeKind, "file">): void {
    checkName(name);
    this.#folder.plant(name, new Inode(kind));
  }

  /** Removes a name, durably; a missing one is no error. */
  erase(name: string): void {
    this.#folder.plant(name, undefined);
  }

  /** Flips bits of one byte, on the medium and for readers alike. */
  flip(name: string, at: number, mask: number): void {
    const inode = this.#folder.get(name);
    const byte = new Uint8Array(1);
    if (inode === undefined || inode.read(at, byte) !== 1) {
      throw new RangeError(`${name} has no byte ${at}`);
    }
    inode.pokeByte(at, (byte[0] ?? 0) ^ mask);
  }

  // For SimulatedFile.

  /** Counts an operation and lets it fail. @internal */
  perform(kind: DiskOperationKind, name: string, changes: boolean, bytes = 0): Transfer {
    const index = this.stats.operations++;
    this.stats[kind]++;
    this.before?.({ index, kind, name, changes, bytes });
    const fault = this.#faultOf(index, kind);
    if (fault === undefined) return { bytes: this.#shorten(bytes), error: undefined };
    if (fault.code === undefined)
      return { bytes: Math.min(bytes, fault.bytes ?? 0), error: undefined };
    const error = diskError(fault.code, kind, name);
    if (kind !== "write" || fault.partial === undefined || bytes < 2) throw error;
    const part = 1 + this.#random.below(bytes - 1);
    if (fault.partial === "torn") return { bytes: part, error };
    this.#faults.push({ at: index + 1, code: fault.code, nextWrite: true });
    return { bytes: part, error: undefined };
  }

  /** Waits as long as a sync takes. @internal */
  async turns(): Promise<void> {
    const max = this.#options.syncTurnsMax ?? 1;
    const turns = max <= 1 ? max : 1 + this.#random.below(max);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  }

  #shorten(bytes: number): number {
    if (this.#short === undefined || bytes < 2) return bytes;
    return this.#short.chance(this.#options.shortRate ?? 0)
      ? 1 + this.#short.below(bytes - 1)
      : bytes;
  }

  #faultOf(index: number, kind: DiskOperationKind): Fault | undefined {
    if (this.#faults.length === 0) return undefined;
    const fault = this.#faults.find((candidate) => strikes(candidate, index, kind));
    if (fault?.nextWrite === true) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault;
  }

  #cut(
    folder: Choice["chosen"],
    choose: (inode: Inode) => Choice | undefined,
    random: Random | undefined,
    salt = 0,
  ): SimulatedDisk {
    const after = new Map<Inode, Inode>();
    for (const inode of this.#folder.inodes()) {
      after.set(inode, inode.crash(choose(inode), random));
    }
    const names = new Map<string, Inode>();
    for (const [name, inode] of this.#folder.crash(folder)) {
      names.set(name, after.get(inode) ?? inode);
    }
    const disk = new SimulatedDisk(this.#options, new Folder(names, new Map(names)));
    disk.#random = new Random(random?.next() ?? this.#random.clone().next() + salt);
    return disk;
  }
}

/** An open file of a {@link SimulatedDisk}. */
export class SimulatedFile {
  readonly #disk: SimulatedDisk;
  readonly #name: string;
  readonly #inode: Inode;
  #onClose: (() => void) | undefined;

  constructor(disk: SimulatedDisk, name: string, inode: Inode, onClose: () => void) {
    this.#disk = disk;
    this.#name = name;
    this.#inode = inode;
    this.#onClose = onClose;
  }

  size(): number {
    this.#begin("size", false);
    return this.#inode.size;
  }

  read(at: number, into: Uint8Array): number {
    checkOffset(at);
    const { bytes } = this.#begin("read", false, into.length);
    const count = this.#inode.read(at, into.subarray(0, bytes));
    this.#disk.stats.bytesRead += count;
    return count;
  }

  write(at: number, from: Uint8Array): number {
    checkOffset(at);
    this.#checkSize(at + from.length);
    const { bytes, error } = this.#begin("write", true, from.length);
    this.#inode.write(at, from.subarray(0, bytes));
    this.#disk.stats.bytesWritten += bytes;
    if (error !== undefined) throw error;
    return bytes;
  }

  truncate(size: number): void {
    checkOffset(size);
    this.#checkSize(size);
    this.#begin(size > this.#inode.size ? "extend" : "truncate", true);
    this.#inode.resize(size);
  }

  async sync(): Promise<void> {
    this.#checkOpen();
    const { sequence } = this.#inode;
    await this.#disk.turns();
    this.#settle(sequence);
  }

  syncNow(): void {
    this.#checkOpen();
    this.#settle(this.#inode.sequence);
  }

  close(): void {
    this.#onClose?.();
    this.#onClose = undefined;
  }

  #settle(sequence: number): void {
    try {
      this.#disk.perform("sync", this.#name, true);
    } catch (error) {
      if (error instanceof DiskError) this.#inode.lose(sequence);
      throw error;
    }
    this.#inode.settle(sequence);
  }

  #begin(kind: DiskOperationKind, changes: boolean, bytes = 0): Transfer {
    this.#checkOpen();
    return this.#disk.perform(kind, this.#name, changes, bytes);
  }

  #checkSize(size: number): void {
    if (size > FILE_BYTES_MAX) throw diskError("EFBIG", "write", this.#name);
  }

  #checkOpen(): void {
    if (this.#onClose === undefined) throw new DiskError("AOF_CLOSED", `${this.#name} is closed`);
  }
}

export interface DiskOptions {
  /** Seed of `randomBytes`, of partial writes and of short reads and writes; default 0. */
  readonly seed?: number;
  /** Probability that a read or write transfers less than asked (never nothing); default 0. */
  readonly shortRate?: number;
  /** Each sync takes 1 to this many turns of the microtask queue; default 1, at 0 it takes effect within the call. */
  readonly syncTurnsMax?: number;
}

/** See {@link SimulatedDisk.crash}. */
export type CrashMode = "kill" | "none" | "prefix" | "subset" | "reverse" | "tear";

export type DiskOperationKind =
  | "open"
  | "create"
  | "size"
  | "read"
  | "write"
  | "extend"
  | "truncate"
  | "sync"
  | "rename"
  | "remove"
  | "list"
  | "folderSync"
  | "lock";

/** What is about to happen. */
export interface DiskOperation {
  /** Counts from 0 over the life of the disk. */
  readonly index: number;
  readonly kind: DiskOperationKind;
  /** The file; empty for the folder. */
  readonly name: string;
  /** Whether it can change what a crash leaves. */
  readonly changes: boolean;
  /** Bytes asked for, of a read or write. */
  readonly bytes: number;
}

/** Counts by kind; `operations` is their sum. */
export type DiskStats = Record<
  DiskOperationKind | "operations" | "bytesRead" | "bytesWritten",
  number
>;

export interface FaultOptions {
  /**
   * How a write fails: by default nothing is written. `short` writes a part, says so, and fails the next write, as a
   * full disk does; `torn` writes a part and throws.
   */
  readonly partial?: "short" | "torn";
  /** Goes on failing until {@link SimulatedDisk.mend}: a full disk what needs space, any other code everything. */
  readonly persistent?: boolean;
}

interface Fault extends FaultOptions {
  readonly at: number;
  readonly code?: DiskErrorCode;
  readonly bytes?: number;
  /** Strikes the first write at or after `at`, once. */
  readonly nextWrite?: boolean;
}

/** How many bytes an operation may transfer, and what it throws afterwards. */
interface Transfer {
  readonly bytes: number;
  readonly error: DiskError | undefined;
}

/** Largest file, in bytes. */
const FILE_BYTES_MAX = 2 ** 30;
const NEEDS_SPACE: ReadonlySet<DiskOperationKind> = new Set([
  "create",
  "write",
  "extend",
  "rename",
]);

function strikes(fault: Fault, index: number, kind: DiskOperationKind): boolean {
  if (fault.nextWrite === true) return kind === "write" && index >= fault.at;
  if (fault.persistent !== true || index < fault.at) return index === fault.at;
  if (fault.bytes !== undefined) return kind === "read" || kind === "write";
  const full = fault.code === "ENOSPC" || fault.code === "EDQUOT" || fault.code === "EFBIG";
  return index === fault.at || !full || NEEDS_SPACE.has(kind);
}

/** Draws what one crash has in common, then makes a choice for each file and for the folder. */
function chooser(
  mode: Exclude<CrashMode, "kill" | "none">,
  random: Random,
): () => Choice["chosen"] {
  const probability = random.fraction();
  const kind = mode === "tear" ? random.pick(["prefix", "subset"] as const) : mode;
  return () => {
    const cut = random.fraction();
    return (index, count) => {
      const first = Math.floor(cut * (count + 1));
      if (kind === "prefix") return index < first;
      if (kind === "reverse") return index >= first;
      return random.chance(probability);
    };
  };
}

function emptyStats(): DiskStats {
  return {
    operations: 0,
    bytesRead: 0,
    bytesWritten: 0,
    open: 0,
    create: 0,
    size: 0,
    read: 0,
    write: 0,
    extend: 0,
    truncate: 0,
    sync: 0,
    rename: 0,
    remove: 0,
    list: 0,
    folderSync: 0,
    lock: 0,
  };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function checkName(name: string): void {
  if (typeof name === "string" && NAME.test(name) && !name.includes("..")) return;
  throw new TypeError("file name must be 1 to 128 letters, digits, '.', '_' or '-' without '..'");
}

function checkOffset(at: number): void {
  if (!Number.isSafeInteger(at) || at < 0) {
    throw new RangeError(`offset must be an integer of at least 0, got ${at}`);
  }
}

function notAFile(name: string, kind: InodeKind): DiskError {
  return new DiskError("AOF_NOT_A_FILE", `${name} is a ${kind}, not a file`);
}
