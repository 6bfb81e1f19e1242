import { Bitmap } from "@x/bitmap";
import { loadRoaring, Random } from "@x/testing";
import * as wasm from "roaring-wasm";
import type { Benchmark, Contender } from "./harness.ts";
import type { SuiteOptions } from "./main.ts";

/** What is measured of `roaring` and `roaring-wasm`, which are alike. */
interface PeerBitmap extends Iterable<number> {
  readonly size: number;
  has(value: number): boolean;
  add(value: number): unknown;
  rank(value: number): number;
  select(index: number): number | undefined;
  clone(): PeerBitmap;
  orInPlace(other: PeerBitmap): unknown;
  toUint32Array(): Uint32Array;
  serialize(format: "portable"): Uint8Array;
  /** Gives memory outside of the garbage collector back; only the WebAssembly one needs it. */
  dispose?(): unknown;
}

interface PeerClass {
  new (values?: Uint32Array): PeerBitmap;
  deserialize(bytes: Uint8Array, format: "portable"): PeerBitmap;
  and(a: PeerBitmap, b: PeerBitmap): PeerBitmap;
  or(a: PeerBitmap, b: PeerBitmap): PeerBitmap;
  xor(a: PeerBitmap, b: PeerBitmap): PeerBitmap;
  andNot(a: PeerBitmap, b: PeerBitmap): PeerBitmap;
}

interface Peer {
  readonly subject: string;
  readonly peerClass: PeerClass;
}

/** A peer with the two sets of a benchmark. */
interface Opponent extends Peer {
  readonly set: PeerBitmap;
  readonly other: PeerBitmap;
}

const OWN = "@x/bitmap";
/** Values of each set, give or take what chance brings. */
const COUNT = 2 ** 20;
/** Questions per run. */
const QUERY_COUNT = 50_000;

/** A set, in what order it is built, and another one that it is combined with. */
interface Data {
  readonly name: string;
  /** One past the highest value there may be. */
  readonly end: number;
  readonly values: Uint32Array;
  readonly shuffled: Uint32Array;
  readonly others: Uint32Array;
}

/**
 * 2^20 values that fill 60 % of their range, as unspent leaves do, and sets that fill 1 % and 0.1 % of
 * theirs: bitsets, arrays of about 655 values, arrays of about 65.
 */
const SETS: readonly { readonly name: string; readonly oneIn: number }[] = [
  { name: "60-percent", oneIn: 1 / 0.6 },
  { name: "1-percent", oneIn: 100 },
  { name: "0.1-percent", oneIn: 1000 },
];

/** Sets that only their memory is of interest of: about 16 and about 2 values for each container. */
const THIN_SETS: typeof SETS = [
  { name: "16-each", oneIn: 4096 },
  { name: "2-each", oneIn: 32_768 },
];

/** Single values, whole sets and bytes, beside both builds of CRoaring for this runtime. */
export async function benchmarks(_options: SuiteOptions): Promise<Benchmark[]> {
  await wasm.roaringLibraryInitialize();
  const native = await loadRoaring();
  const peers: Peer[] = [
    { subject: "roaring-wasm", peerClass: wasm.RoaringBitmap32 as unknown as PeerClass },
  ];
  if (native === undefined) {
    process.stderr.write("roaring is not installed here: measured without the native addon\n");
  } else {
    const { RoaringBitmap32 } = native as { readonly RoaringBitmap32: PeerClass };
    peers.unshift({ subject: "roaring", peerClass: RoaringBitmap32 });
  }
  const random = new Random(1);
  const parts = [questions, building, algebra, bytes, listing, memory];
  const compared = SETS.flatMap(({ name, oneIn }) => {
    const data = makeData(name, oneIn, random);
    const opponents = peers.map(({ subject, peerClass }) => {
      const set = build(peerClass, data.values);
      return { subject, peerClass, set, other: build(peerClass, data.others) };
    });
    return parts.flatMap((part) => part(data, opponents));
  });
  const thin = THIN_SETS.map(({ name, oneIn }) => memory(makeData(name, oneIn, random)));
  return [...compared, ...thin];
}

/**
 * A peer's set of these values. When roaring-wasm has to grow its memory in the middle of this, it
 * goes on with a view of the old memory and throws; the second time there is room.
 */
function build(peerClass: PeerClass, values: Uint32Array): PeerBitmap {
  try {
    return new peerClass(values);
  } catch {
    return new peerClass(values);
  }
}

function makeData(name: string, oneIn: number, random: Random): Data {
  const end = Math.min(2 ** 32, Math.round(COUNT * oneIn));
  const values = draw(end, oneIn, random);
  const shuffled = values.slice();
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const value = shuffled[i] as number;
    shuffled[i] = shuffled[j] as number;
    shuffled[j] = value;
  }
  return { name, end, values, shuffled, others: draw(end, oneIn, random) };
}

/** Each number below `end` with a chance of one in `oneIn`, ascending. */
function draw(end: number, oneIn: number, random: Random): Uint32Array {
  const values = new Uint32Array(Math.ceil(COUNT * 1.1));
  const scale = 1 / Math.log(1 - 1 / oneIn);
  let count = 0;
  // The distance to the next number drawn is geometrically distributed.
  for (let at = -1; ;) {
    at += 1 + Math.floor(Math.log(1 - random.fraction()) * scale);
    if (at >= end || count === values.length) return values.slice(0, count);
    values[count++] = at;
  }
}

/** Membership, rank and select of random arguments. */
function questions({ name, end, values }: Data, peers: readonly Opponent[]): Benchmark[] {
  const random = new Random(2);
  const anyValues = Uint32Array.from({ length: QUERY_COUNT }, () => random.below(end));
  const held = anyValues.map((value) => values[value % values.length] as number);
  const indices = anyValues.map((value) => value % values.length);
  const own = Bitmap.from(values);
  const ask = (
    operation: string,
    queries: Uint32Array,
    ofOwn: (queries: Uint32Array) => number,
    ofPeer: (set: PeerBitmap, queries: Uint32Array) => number,
    note: string,
  ): Benchmark => ({
    name: `bitmap/${operation}/set=${name}`,
    operations: queries.length,
    unit: "query",
    note,
    contenders: [
      { subject: OWN, run: () => keep(ofOwn(queries)) },
      ...peers.map(({ subject, set }): Contender => {
        return { subject, run: () => keep(ofPeer(set, queries)) };
      }),
    ],
  });
  return [
    ask("has", anyValues, (list) => hasOwn(own, list), hasPeer, "any value of the range"),
    ask("has-held", held, (list) => hasOwn(own, list), hasPeer, "values of the set"),
    ask("rank", anyValues, (list) => rankOwn(own, list), rankPeer, "any value of the range"),
    ask("select", indices, (list) => selectOwn(own, list), selectPeer, "any index"),
  ];
}

// Each loop stands alone, so that engines see one kind of set in it. Answers are added up and not
// branched on: a branch on a random answer costs more than the answer.

function hasOwn(set: Bitmap, queries: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < queries.length; i++) sum += Number(set.has(queries[i] as number));
  return sum;
}

function hasPeer(set: PeerBitmap, queries: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < queries.length; i++) sum += Number(set.has(queries[i] as number));
  return sum;
}

function rankOwn(set: Bitmap, queries: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < queries.length; i++) sum += set.rank(queries[i] as number);
  return sum;
}

function rankPeer(set: PeerBitmap, queries: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < queries.length; i++) sum += set.rank(queries[i] as number);
  return sum;
}

function selectOwn(set: Bitmap, queries: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < queries.length; i++) sum += set.select(queries[i] as number) ?? 0;
  return sum;
}

function selectPeer(set: PeerBitmap, queries: Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < queries.length; i++) sum += set.select(queries[i] as number) ?? 0;
  return sum;
}

/** From sorted values, from shuffled ones, and value by value. */
function building({ name, values, shuffled }: Data, peers: readonly Opponent[]): Benchmark[] {
  const race = (
    operation: string,
    ofOwn: () => Bitmap,
    ofPeer: (peerClass: PeerClass) => PeerBitmap,
  ): Benchmark => ({
    name: `bitmap/${operation}/set=${name}`,
    operations: values.length,
    unit: "value",
    contenders: [
      { subject: OWN, run: () => keep(ofOwn().size) },
      ...peers.map(({ subject, peerClass }): Contender => {
        return { subject, run: () => keepAndDispose(ofPeer(peerClass)) };
      }),
    ],
  });
  return [
    race(
      "build-sorted",
      () => Bitmap.from(values),
      (peerClass) => build(peerClass, values),
    ),
    race(
      "build-shuffled",
      () => Bitmap.from(shuffled),
      (peerClass) => build(peerClass, shuffled),
    ),
    race(
      "add-shuffled",
      () => addEach(new Bitmap(), shuffled),
      (peerClass) => addEach(new peerClass(), shuffled),
    ),
  ];
}

function addEach<S extends { add(value: number): unknown }>(set: S, values: Uint32Array): S {
  for (let i = 0; i < values.length; i++) set.add(values[i] as number);
  return set;
}

/** The four operations to a new set, and the union in place of a copy. */
function algebra({ name, values, others }: Data, peers: readonly Opponent[]): Benchmark[] {
  const own = [Bitmap.from(values), Bitmap.from(others)] as const;
  const combine = (
    operation: string,
    ofOwn: (a: Bitmap, b: Bitmap) => Bitmap,
    ofPeer: (peerClass: PeerClass, a: PeerBitmap, b: PeerBitmap) => PeerBitmap,
  ): Benchmark => ({
    name: `bitmap/${operation}/set=${name}`,
    operations: 1,
    unit: "result",
    contenders: [
      { subject: OWN, run: () => keep(ofOwn(...own).size) },
      ...peers.map(({ subject, peerClass, set, other }): Contender => {
        return { subject, run: () => keepAndDispose(ofPeer(peerClass, set, other)) };
      }),
    ],
  });
  return [
    ...(["and", "or", "xor", "andNot"] as const).map((operation) =>
      combine(
        operation === "andNot" ? "and-not" : operation,
        (a, b) => a[operation](b),
        (peerClass, a, b) => peerClass[operation](a, b),
      ),
    ),
    combine(
      "clone-or-in-place",
      (a, b) => a.clone().orInPlace(b),
      (_, a, b) => {
        const copy = a.clone();
        copy.orInPlace(b);
        return copy;
      },
    ),
  ];
}

/** To the portable format and back. Ours decides about runs anew, and checks what it reads. */
function bytes({ name, values }: Data, peers: readonly Opponent[]): Benchmark[] {
  const own = Bitmap.from(values);
  const serialized = own.serialize();
  return [
    {
      name: `bitmap/serialize/set=${name}`,
      operations: 1,
      unit: "set",
      note: `${serialized.length} bytes`,
      contenders: [
        { subject: OWN, run: () => keep(own.serialize().length) },
        ...peers.map(({ subject, set }): Contender => {
          return { subject, run: () => keep(set.serialize("portable").length) };
        }),
      ],
    },
    {
      name: `bitmap/deserialize/set=${name}`,
      operations: 1,
      unit: "set",
      note: `${serialized.length} bytes; only @x/bitmap checks them`,
      contenders: [
        { subject: OWN, run: () => keep(Bitmap.deserialize(serialized).size) },
        ...peers.map(({ subject, peerClass }): Contender => {
          return {
            subject,
            run: () => keepAndDispose(peerClass.deserialize(serialized, "portable")),
          };
        }),
      ],
    },
  ];
}

/** Every value, one by one and as an array. */
function listing({ name, values }: Data, peers: readonly Opponent[]): Benchmark[] {
  const own = Bitmap.from(values);
  const list = (
    operation: string,
    ofOwn: () => number,
    ofPeer: (set: PeerBitmap) => number,
  ): Benchmark => ({
    name: `bitmap/${operation}/set=${name}`,
    operations: values.length,
    unit: "value",
    contenders: [
      { subject: OWN, run: () => keep(ofOwn()) },
      ...peers.map(({ subject, set }): Contender => ({ subject, run: () => keep(ofPeer(set)) })),
    ],
  });
  return [
    list("iterate", () => sumOwn(own), sumPeer),
    list(
      "to-array",
      () => own.toArray().length,
      (set) => set.toUint32Array().length,
    ),
  ];
}

function sumOwn(set: Bitmap): number {
  let sum = 0;
  for (const value of set) sum += value;
  return sum;
}

function sumPeer(set: PeerBitmap): number {
  let sum = 0;
  for (const value of set) sum += value;
  return sum;
}

/** How many sets are held at once, so that what an engine allocates besides does not show. */
const HELD_COUNT = 8;

/** Memory of a set, per byte of its serialized form, in percent. */
function memory({ name, values, shuffled }: Data): Benchmark {
  const serialized = Bitmap.from(values).serialize();
  const bytesOf = serialized.length;
  const held = (subject: string, make: () => Bitmap): Contender => ({
    subject,
    run: () => {
      const before = heldBytes();
      const sets = Array.from({ length: HELD_COUNT }, make);
      const each = (heldBytes() - before) / HELD_COUNT;
      keep(sets.length);
      return {
        memoryBytes: Math.round(each),
        serializedBytes: bytesOf,
        percent: Math.round((100 * each) / bytesOf),
      };
    },
  });
  return {
    name: `bitmap/memory/set=${name}`,
    operations: HELD_COUNT,
    unit: "set",
    rounds: 3,
    note: "read the counts, not the times",
    contenders: [
      held(`${OWN} built`, () => Bitmap.from(values)),
      held(`${OWN} deserialized`, () => Bitmap.deserialize(serialized)),
      held(`${OWN} added one by one`, () => addEach(new Bitmap(), shuffled)),
    ],
  };
}

/** Bytes that are in use, once nothing is left to collect. */
function heldBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("memory is only measured under node --expose-gc");
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

let kept = 0;

/** Keeps a result alive, so that no work for it is left out. */
function keep(result: number): void {
  kept = (kept + result) % 1e9;
}

function keepAndDispose(set: PeerBitmap): void {
  keep(set.size);
  set.dispose?.();
}
