/**
 * What a stored tree consists of, and where it lies. Nodes are under their 32-byte hash; every other record's key has
 * another length, so that the two never meet.
 *
 * @see FORMAT.md, "Stored tree"
 */
import { concatBytes, sha256 } from "@x/hash";
import { sameBytes } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import { PATH_SIZE } from "../path.ts";
import { asciiBytes } from "../scheme/ascii.ts";

/** Key of the {@link TreeRecord}. */
export const TREE_KEY: Uint8Array<ArrayBuffer> = asciiBytes("tree");
const VERSION_PREFIX = asciiBytes("root");
/** Bytes of the key of a version. */
export const VERSION_KEY_SIZE: number = VERSION_PREFIX.length + 8;
/** Bytes of the key of a run count. */
export const RUNS_KEY_SIZE: number = PATH_SIZE + 1;
/** Every version's key lies in this range. */
export const VERSION_RANGE: { readonly gte: Uint8Array; readonly lte: Uint8Array } = {
  gte: VERSION_PREFIX,
  lte: Uint8Array.of(...VERSION_PREFIX, 255, 255, 255, 255, 255, 255, 255, 255),
};

const FORMAT_VERSION = 1;
const TREE_RECORD_SIZE_MIN = 28;
/** Bytes of the checksum that ends a tree record and a version. */
const SEAL_SIZE = 4;
const FLAG_HASHED = 1;
const FLAG_NESTED = 2;
const VERSION_SIZE = 45;

/** How the tree was made, and what every batch changes. One per store. */
export interface TreeRecord {
  readonly scheme: string;
  readonly format: string;
  readonly keys: "hashed" | "paths";
  /** Leaf values carry roots of other trees. */
  readonly nested: boolean;
  /** Batches so far. Two writers cannot write the same one. */
  readonly generation: number;
  /** Nodes stored. */
  readonly nodeCount: number;
  /** Run counts stored: nodes with two runs or more. */
  readonly runCountCount: number;
}

/** A root that is kept, one link of the chain of versions. */
export interface Version {
  /** Its place in the chain: ascending. Only that of an unfinished version that left may come again. */
  readonly sequence: number;
  /** `committed`: was the tree's root once. The others are what a load or a restore has built so far. */
  readonly kind: "committed" | "load" | "restore";
  readonly root: Uint8Array<ArrayBuffer>;
  /** Leaves of this tree, those of nested trees not counted. */
  readonly leafCount: number;
  /** How often it was retained and not yet released. */
  readonly holdCount: number;
  /** The root a restore is to reach; `undefined` for other kinds. */
  readonly target: Uint8Array<ArrayBuffer> | undefined;
}

/** Encodes a {@link TreeRecord}. Layout: FORMAT.md, "Tree record". */
export function encodeTreeRecord(record: TreeRecord): Uint8Array<ArrayBuffer> {
  const scheme = nameBytes(record.scheme, "scheme");
  const format = nameBytes(record.format, "format");
  const bytes = new Uint8Array(TREE_RECORD_SIZE_MIN + scheme.length + format.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = FORMAT_VERSION;
  bytes[1] = (record.keys === "hashed" ? FLAG_HASHED : 0) | (record.nested ? FLAG_NESTED : 0);
  setCount(view, 2, record.generation);
  setCount(view, 10, record.nodeCount);
  setCount(view, 18, record.runCountCount);
  bytes[26] = scheme.length;
  bytes.set(scheme, 27);
  bytes[27 + scheme.length] = format.length;
  bytes.set(format, TREE_RECORD_SIZE_MIN + scheme.length);
  return seal(TREE_KEY, bytes);
}

/** Reads a {@link TreeRecord} back. JELLYFISH_RECORD for what {@link encodeTreeRecord} would not have written. */
export function decodeTreeRecord(sealed: Uint8Array): TreeRecord {
  const bytes = unseal(TREE_KEY, sealed, "tree record");
  if (bytes.length < TREE_RECORD_SIZE_MIN) throw malformed("tree record", bytes.length);
  if (bytes[0] !== FORMAT_VERSION) throw malformed("tree record's version", 0);
  const flags = bytes[1] as number;
  if (flags > (FLAG_HASHED | FLAG_NESTED)) throw malformed("tree record's flags", 1);
  const view = viewOf(bytes);
  const schemeSize = bytes[26] as number;
  const formatAt = 27 + schemeSize;
  const formatSize = bytes[formatAt];
  if (formatSize === undefined || formatAt + 1 + formatSize !== bytes.length)
    throw malformed("tree record's names", 26);
  return {
    keys: (flags & FLAG_HASHED) === 0 ? "paths" : "hashed",
    nested: (flags & FLAG_NESTED) !== 0,
    generation: getCount(view, 2),
    nodeCount: getCount(view, 10),
    runCountCount: getCount(view, 18),
    scheme: nameText(bytes, 27, formatAt),
    format: nameText(bytes, formatAt + 1, bytes.length),
  };
}

/** Key of a version's record. */
export function versionKey(sequence: number): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(VERSION_KEY_SIZE);
  key.set(VERSION_PREFIX);
  setCount(new DataView(key.buffer), VERSION_PREFIX.length, sequence);
  return key;
}

/** Encodes a {@link Version}; its sequence is in the key. Layout: FORMAT.md, "Version". */
export function encodeVersion(version: Version): Uint8Array<ArrayBuffer> {
  const { target } = version;
  const bytes = new Uint8Array(VERSION_SIZE + (target === undefined ? 0 : PATH_SIZE));
  const view = new DataView(bytes.buffer);
  bytes[0] = KINDS.indexOf(version.kind);
  bytes.set(version.root, 1);
  setCount(view, 33, version.leafCount);
  view.setUint32(41, version.holdCount);
  if (target !== undefined) bytes.set(target, VERSION_SIZE);
  return seal(versionKey(version.sequence), bytes);
}

/** Reads a {@link Version} back from its record. JELLYFISH_RECORD as {@link decodeTreeRecord}. */
export function decodeVersion(key: Uint8Array, sealed: Uint8Array): Version {
  const bytes = unseal(key, sealed, "version");
  if (key.length !== VERSION_KEY_SIZE) throw malformed("version's key", key.length);
  const kind = KINDS[bytes[0] ?? KINDS.length];
  if (kind === undefined) throw malformed("version's kind", 0);
  const size = kind === "restore" ? VERSION_SIZE + PATH_SIZE : VERSION_SIZE;
  if (bytes.length !== size) throw malformed("version's length", bytes.length);
  const view = viewOf(bytes);
  const holdCount = view.getUint32(41);
  if (kind !== "committed" && holdCount !== 0) throw malformed("version's holds", 41);
  return {
    sequence: getCount(viewOf(key), VERSION_PREFIX.length),
    kind,
    root: new Uint8Array(bytes.subarray(1, 33)),
    leafCount: getCount(view, 33),
    holdCount,
    target: kind === "restore" ? new Uint8Array(bytes.subarray(VERSION_SIZE)) : undefined,
  };
}

const KINDS: readonly Version["kind"][] = ["committed", "load", "restore"];

/** Key of a node's run count. It follows the node itself in the order of keys. */
export function runsKey(hash: Uint8Array): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(RUNS_KEY_SIZE);
  key.set(hash);
  return key;
}

/** Encodes a run count of 2 or more; none is stored for 1. */
export function encodeRuns(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  setCount(new DataView(bytes.buffer), 0, count);
  return bytes;
}

/** Reads a run count back; an absent record says 1. */
export function decodeRuns(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 1;
  if (bytes.length !== 8) throw malformed("run count", bytes.length);
  const count = getCount(viewOf(bytes), 0);
  if (count < 2) throw malformed("run count", 0);
  return count;
}

/** The bytes with a checksum over key and bytes behind them: the nodes have their hash, these records have this. */
function seal(key: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes([bytes, checksum(key, bytes)]);
}

function unseal(key: Uint8Array, sealed: Uint8Array, what: string): Uint8Array {
  const size = Math.max(0, sealed.length - SEAL_SIZE);
  const bytes = sealed.subarray(0, size);
  if (!sameBytes(checksum(key, bytes), sealed.subarray(size)))
    throw malformed(`${what}'s checksum`, size);
  return bytes;
}

function checksum(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return sha256()
    .hash(concatBytes([key, bytes]))
    .subarray(0, SEAL_SIZE);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function setCount(view: DataView, offset: number, count: number): void {
  view.setUint32(offset, Math.floor(count / 2 ** 32));
  view.setUint32(offset + 4, count % 2 ** 32);
}

function getCount(view: DataView, offset: number): number {
  const count = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  if (!Number.isSafeInteger(count)) throw malformed("count", offset);
  return count;
}

/** Names are ASCII without control characters, 1…255 of them. */
function nameBytes(name: string, what: string): Uint8Array<ArrayBuffer> {
  if (!/^[\x20-\x7e]{1,255}$/.test(name))
    throw new RangeError(`the name of the ${what} is not 1…255 printable ASCII characters`);
  return asciiBytes(name);
}

function nameText(bytes: Uint8Array, from: number, to: number): string {
  const name = String.fromCharCode(...bytes.subarray(from, to));
  if (!/^[\x20-\x7e]+$/.test(name)) throw malformed("name", from);
  return name;
}

function malformed(what: string, at: number): JellyfishError {
  return new JellyfishError("JELLYFISH_RECORD", `the stored ${what} is malformed, at ${at}`);
}
