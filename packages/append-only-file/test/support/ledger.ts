import { createHash } from "node:crypto";

import { type CommitLog, type CrashSubject, type Reopened, type SimulatedDisk } from "@x/testing";
import fc from "fast-check";

import type * as Api from "../../src/index.ts";

/** The package, or a copy of it with a mistake planted. */
export type Module = typeof Api;

/** A change of what is pending. */
export type Change =
  | { readonly kind: "append"; readonly file: 0 | 1; readonly bytes: number }
  | { readonly kind: "rewind"; readonly file: 0 | 1; readonly keep: number }
  | { readonly kind: "toggle"; readonly blob: 0 | 1; readonly value: number };

/** One turn of a history: changes, then what becomes of them. */
export interface Turn {
  readonly changes: readonly Change[];
  readonly end:
    | { readonly kind: "commit"; readonly sync: boolean; readonly wait: boolean }
    | { readonly kind: "discard" }
    | { readonly kind: "sync" }
    | { readonly kind: "checkpoint" }
    | { readonly kind: "rewrite"; readonly seed: number }
    | { readonly kind: "copy" }
    | { readonly kind: "reopen" };
}

export type History = readonly Turn[];

/** What a history consists of, and how often. */
export interface Mixture {
  readonly turnsMin: number;
  readonly turnsMax: number;
  /** Bytes of one append. Default: mostly small, some of several sectors. */
  readonly bytes?: fc.Arbitrary<number>;
}

/** Small limits, so that short histories reach every path. */
export const LIMITS: Api.GroupOptions = {
  bulkBytesMin: 900,
  journalBytesMax: 6000,
  journalRecordsMax: 7,
  cachePagesMax: 4,
};

const RECORD = 8;
const BLOB_NAMES = ["set.blob", "tags.blob"];

/** Histories, weighted towards commits. */
export function histories({ turnsMin, turnsMax, bytes }: Mixture): fc.Arbitrary<History> {
  const file = fc.constantFrom<0 | 1>(0, 1);
  const size =
    bytes ??
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) },
      { weight: 2, arbitrary: fc.integer({ min: 61, max: 700 }) },
      { weight: 1, arbitrary: fc.integer({ min: 900, max: 2600 }) },
    );
  const change: fc.Arbitrary<Change> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant("append" as const), file, bytes: size }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("rewind" as const),
        file,
        keep: fc.integer({ min: 0, max: 100 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("toggle" as const),
        blob: file,
        value: fc.integer({ min: 0, max: 40 }),
      }),
    },
  );
  const end: fc.Arbitrary<Turn["end"]> = fc.oneof(
    {
      weight: 14,
      arbitrary: fc.record({
        kind: fc.constant("commit" as const),
        sync: fc.boolean(),
        wait: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "discard" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "sync" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "checkpoint" as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("rewrite" as const), seed: fc.nat(1000) }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "copy" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "reopen" as const }) },
  );
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  return fc.array(fc.record({ changes, end }), { minLength: turnsMin, maxLength: turnsMax });
}

/** Everything a group of two files and two blobs holds: the naive model. */
export interface State {
  readonly sequence: number;
  readonly meta: Uint8Array;
  readonly files: readonly [Uint8Array, Uint8Array];
  readonly blobs: readonly [readonly number[], readonly number[]];
}

export const INITIAL: State = {
  sequence: 0,
  meta: new Uint8Array(0),
  files: [new Uint8Array(0), new Uint8Array(0)],
  blobs: [[], []],
};

/** A string that two states share only when they are the same. */
export function digestOf(state: State): string {
  const hash = createHash("sha1");
  for (const file of state.files) hash.update(`${file.length} `).update(file);
  for (const blob of state.blobs) hash.update(`${blob.join(" ")};`);
  hash.update(state.meta);
  return `${state.sequence}:${hash.digest("hex").slice(0, 16)}`;
}

/** The layout, and where the blobs' owner keeps what it restored. */
export function ledgerLayout(sets: [number[], number[]]): Api.GroupLayout {
  return {
    prefix: "led",
    files: [
      { name: "a.bin", recordSize: RECORD },
      { name: "b.bin", recordSize: 0 },
    ],
    blobs: BLOB_NAMES.map((name, index) => ({
      name,
      restore: (bytes, deltas) => {
        const set = new Set(bytes);
        for (const delta of deltas) for (const value of delta) toggle(set, value);
        const values = sorted(set);
        sets[index === 0 ? 0 : 1] = values;
        return () => Uint8Array.from(values);
      },
    })),
  };
}

/** A group with two files and two sets, as a history drives it. */
export function ledgerSubject(
  module: Module,
  history: History,
  options: Api.GroupOptions = LIMITS,
): CrashSubject {
  return {
    initial: digestOf(INITIAL),
    run: async (disk, log) => {
      await new Ledger(module, disk, options, log).live(history);
    },
    reopen: (disk) => reopenLedger(module, disk, options),
  };
}

async function reopenLedger(
  module: Module,
  disk: SimulatedDisk,
  options: Api.GroupOptions,
): Promise<Reopened> {
  const sets: [number[], number[]] = [[], []];
  const group = await module.FileGroup.open(disk, ledgerLayout(sets), options);
  const state = stateOf(group, sets);
  return {
    digest: digestOf(state),
    check: () => checkFolder(disk, state),
    extend: async () => {
      group.files[0]?.append(contentOf(7, RECORD));
      const meta = Uint8Array.of(state.sequence % 256, 99);
      await group.commit({ meta, blobs: [undefined, undefined] });
      const [a, b] = state.files;
      const files = [joined(a, contentOf(7, RECORD)), b] as const;
      return digestOf({ ...state, sequence: state.sequence + 1, meta, files });
    },
  };
}

/** What an open group shows. */
export function stateOf(group: Api.FileGroup, sets: readonly [number[], number[]]): State {
  const [a, b] = group.files;
  if (a === undefined || b === undefined) throw new Error("the ledger has two files");
  return {
    sequence: group.sequence,
    meta: group.meta,
    files: [a.read(0, a.size), b.read(0, b.size)],
    blobs: [sets[0], sets[1]],
  };
}

/** Right after recovery the folder's own files show the state, and nothing is left over. */
function checkFolder(disk: SimulatedDisk, state: State): void {
  const names = disk.names().join(" ");
  const expected = "a.bin b.bin led_journal.bin set.blob tags.blob";
  if (names !== expected) throw new Error(`folder holds ${names}`);
  const contents = [...state.files, ...state.blobs.map((set) => Uint8Array.from(set))];
  for (const [i, name] of ["a.bin", "b.bin", ...BLOB_NAMES].entries()) {
    const found = disk.bytesOf(name);
    if (found?.length !== contents[i]?.length) {
      throw new Error(`${name} has ${found?.length} bytes, its state ${contents[i]?.length}`);
    }
    if (found?.every((byte, at) => byte === contents[i]?.[at]) !== true) {
      throw new Error(`${name} differs from its state`);
    }
  }
}

/** Drives a group and the model side by side. */
export class Ledger {
  readonly #module: Module;
  readonly #disk: Api.FileSystem;
  readonly #options: Api.GroupOptions;
  readonly #log: CommitLog;
  readonly #sets: [number[], number[]] = [[], []];
  #group: Api.FileGroup | undefined;
  /** What the model holds now, pending changes included. */
  #now: State = INITIAL;
  /** After each commit call: its number in the log, and the model. */
  #calls: { readonly number: number; readonly state: State }[] = [{ number: 0, state: INITIAL }];
  #outstanding: Promise<void>[] = [];
  #rejected = false;
  #counter = 0;
  /** A copy that is being read, and what it must show. */
  #copy: { readonly copy: Api.Copy; readonly state: State } | undefined;

  constructor(module: Module, disk: Api.FileSystem, options: Api.GroupOptions, log: CommitLog) {
    this.#module = module;
    this.#disk = disk;
    this.#options = options;
    this.#log = log;
  }

  /**
   * The whole history, opening and closing included. Ends early when the group is poisoned.
   *
   * @param compares - whether group and model are put next to each other after every turn
   */
  async live(history: History, compares = false): Promise<void> {
    await this.#open();
    for (const { changes, end } of history) {
      if (compares) this.compare();
      for (const change of changes) this.#change(change);
      if (compares) this.compare();
      await this.#end(end);
      if (this.#rejected) await this.#recover();
      if (this.#group?.state !== "open") break;
    }
    await this.#settled();
    if (this.#rejected) await this.#recover();
    await this.#readCopy();
    await this.#close();
  }

  /** Puts group and model next to each other. */
  compare(): void {
    const found = digestOf({ ...stateOf(this.#opened(), this.#sets), blobs: this.#now.blobs });
    const { state } = this.#last();
    const expected = digestOf({ ...this.#now, sequence: state.sequence, meta: state.meta });
    if (found !== expected) throw new Error(`the group shows ${found}, the model ${expected}`);
  }

  async #open(): Promise<void> {
    this.#group = await this.#module.FileGroup.open(
      this.#disk,
      ledgerLayout(this.#sets),
      this.#options,
    );
    const found = digestOf(stateOf(this.#group, this.#sets));
    const expected = digestOf(this.#last().state);
    if (found !== expected) throw new Error(`opened ${found}, expected ${expected}`);
  }

  async #close(): Promise<void> {
    const group = this.#opened();
    const poisoned = group.state !== "open";
    await group.close();
    if (!poisoned) this.#log.durable(this.#last().number);
  }

  #opened(): Api.FileGroup {
    if (this.#group === undefined) throw new Error("the ledger is not open");
    return this.#group;
  }

  #last(): { readonly number: number; readonly state: State } {
    const last = this.#calls.at(-1);
    if (last === undefined) throw new Error("the initial state is always there");
    return last;
  }

  #change(change: Change): void {
    const { files } = this.#opened();
    switch (change.kind) {
      case "append": {
        const count = change.file === 0 ? Math.ceil(change.bytes / RECORD) * RECORD : change.bytes;
        const bytes = contentOf(++this.#counter, count);
        files[change.file]?.append(bytes);
        this.#setFile(change.file, joined(this.#now.files[change.file], bytes));
        return;
      }
      case "rewind": {
        const before = this.#now.files[change.file];
        const step = change.file === 0 ? RECORD : 1;
        const size = Math.floor((before.length * change.keep) / 100 / step) * step;
        files[change.file]?.rewind(size);
        this.#setFile(change.file, before.slice(0, size));
        return;
      }
      case "toggle": {
        const set = new Set(this.#now.blobs[change.blob]);
        toggle(set, change.value);
        const [first, second] = this.#now.blobs;
        const blobs = change.blob === 0 ? [sorted(set), second] : [first, sorted(set)];
        this.#now = { ...this.#now, blobs: blobs as unknown as State["blobs"] };
      }
    }
  }

  #setFile(file: 0 | 1, bytes: Uint8Array): void {
    const [a, b] = this.#now.files;
    this.#now = { ...this.#now, files: file === 0 ? [bytes, b] : [a, bytes] };
  }

  async #end(end: Turn["end"]): Promise<void> {
    switch (end.kind) {
      case "commit": {
        const promise = this.#commit(end.sync);
        if (end.wait) await promise;
        return;
      }
      case "discard":
        this.#discard();
        return;
      case "sync":
        return this.#makeDurable((group) => group.sync());
      case "checkpoint":
        return this.#makeDurable((group) => group.checkpoint());
      case "rewrite":
        return this.#rewrite(end.seed);
      case "copy":
        await this.#settled();
        await this.#readCopy();
        if (this.#rejected || this.#opened().state !== "open") return;
        this.#copy = { copy: this.#opened().copy(), state: this.#last().state };
        return;
      case "reopen":
        await this.#settled();
        if (this.#rejected) return;
        this.#discard();
        await this.#readCopy();
        await this.#close();
        await this.#open();
    }
  }

  /** Reads the copy that was taken last, however much was written since. */
  async #readCopy(): Promise<void> {
    const taken = this.#copy;
    this.#copy = undefined;
    if (taken === undefined) return;
    for (const [index, expected] of taken.state.files.entries()) {
      const pieces: Uint8Array[] = [];
      try {
        for await (const piece of taken.copy.bytes(index)) pieces.push(piece);
      } catch (error) {
        if (error instanceof Error && "code" in error) return;
        throw error;
      }
      const found = joined(...pieces);
      if (found.length !== expected.length || found.some((byte, at) => byte !== expected[at])) {
        throw new Error(`copy ${index} has ${found.length} bytes, not those of its moment`);
      }
    }
    taken.copy.close();
  }

  #discard(): void {
    this.#opened().discard();
    this.#now = this.#last().state;
  }

  #commit(sync: boolean): Promise<void> {
    const { state: before } = this.#last();
    const meta = Uint8Array.of(++this.#counter % 256, this.#counter >>> 8);
    const blobs = [0, 1].map((index) => {
      const values = this.#now.blobs[index === 0 ? 0 : 1];
      const delta = difference(before.blobs[index === 0 ? 0 : 1], values);
      if (delta.length === 0) return undefined;
      return { delta: Uint8Array.from(delta), content: () => Uint8Array.from(values) };
    });
    return this.#call(meta, sync, (group) => group.commit({ meta, blobs, sync }));
  }

  /** Notes the state a call will leave, makes the call, and notes how it went. Never rejects. */
  #call(
    meta: Uint8Array,
    durable: boolean,
    act: (group: Api.FileGroup) => Promise<void>,
  ): Promise<void> {
    const state: State = { ...this.#now, sequence: this.#last().state.sequence + 1, meta };
    const number = this.#log.started(digestOf(state));
    const promise = act(this.#opened()).then(
      () => (durable ? this.#log.durable(number) : this.#log.acknowledged(number)),
      (error: unknown) => this.#refused(error, number),
    );
    this.#calls.push({ number, state });
    this.#outstanding.push(promise);
    return promise;
  }

  #refused(error: unknown, number: number): void {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    this.#rejected = true;
    if (this.#opened().state === "open") this.#log.withdrawn(number);
    this.#calls = this.#calls.filter((call) => call.number !== number);
  }

  /** After a refused commit what it sealed is pending again: it is dropped, or left for the next commit. */
  async #recover(): Promise<void> {
    await this.#settled();
    this.#rejected = false;
    const group = this.#opened();
    if (group.state !== "open") return;
    if (this.#counter % 2 === 0) this.#discard();
    else group.resume();
    this.compare();
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#outstanding.splice(0));
  }

  async #makeDurable(act: (group: Api.FileGroup) => Promise<void>): Promise<void> {
    const before = this.#calls.map(({ number }) => number);
    try {
      await act(this.#opened());
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      await this.#settled();
      return;
    }
    await this.#settled();
    const kept = new Set(this.#calls.map(({ number }) => number));
    for (const number of before) if (kept.has(number)) this.#log.durable(number);
  }

  async #rewrite(seed: number): Promise<void> {
    await this.#settled();
    if (this.#rejected) return;
    this.#discard();
    const [a, b] = this.#now.files;
    const kept: [number, number][] = [];
    for (let at = 0; at < a.length; at += RECORD) {
      if (((at / RECORD) * 7 + seed) % 3 !== 0) kept.push([at, at + RECORD]);
    }
    const content = seed % 2 === 0 ? joined(contentOf(seed, seed % 90), b.slice(5)) : undefined;
    const first = this.#now.blobs[0].filter((value) => value % 2 === 0);
    this.#now = {
      ...this.#now,
      files: [joined(...kept.map(([begin, end]) => a.slice(begin, end))), content ?? b],
      blobs: [first, this.#now.blobs[1]],
    };
    const meta = Uint8Array.of(++this.#counter % 256, 77);
    await this.#call(meta, true, (group) =>
      group.rewrite({
        files: [{ keep: kept }, content === undefined ? undefined : { content: [content] }],
        blobs: [() => Uint8Array.from(first), undefined],
        meta,
      }),
    );
    // A refused rewrite leaves nothing pending.
    if (this.#rejected) this.#now = this.#last().state;
  }
}

/** `count` bytes that no other `seed` gives. */
export function contentOf(seed: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let word = Math.imul(seed + 1, 0x9e3779b1);
  for (let i = 0; i < count; i++) {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + i;
    bytes[i] = word >>> 13;
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function toggle(set: Set<number>, value: number): void {
  if (!set.delete(value)) set.add(value);
}

function sorted(set: ReadonlySet<number>): number[] {
  return [...set].toSorted((left, right) => left - right);
}

function difference(left: readonly number[], right: readonly number[]): number[] {
  const other = new Set(right);
  const own = new Set(left);
  return [
    ...left.filter((value) => !other.has(value)),
    ...right.filter((value) => !own.has(value)),
  ];
}
