import { fromHex, toHex } from "@x/hash";
import { HASH_SIZE } from "../../link.ts";
import { checkField, failure } from "../checks.ts";
import type { MptBatchProof } from "../mpt-batch.ts";
import type { MptProof } from "../mpt-proof.ts";
import type { MptRangeProof } from "../mpt-range.ts";
import { checkPart, type SmtBatchProof, type SmtPart } from "../smt-batch.ts";
import type { SmtProof, SmtProofLeaf } from "../smt-proof.ts";
import { checkSiblingCount } from "./binary.ts";

/** `0x` and lower-case hex digits, two per byte. */
export type HexText = `0x${string}`;

/** An {@link MptProof} as JSON. */
export interface MptProofJson {
  readonly key: HexText;
  /** `null`: the key is absent. */
  readonly value: HexText | null;
  readonly nodes: readonly HexText[];
}

/** An {@link SmtProof} as JSON. */
export interface SmtProofJson {
  readonly keyHash: HexText;
  readonly leaf: { readonly keyHash: HexText; readonly value: HexText } | null;
  readonly siblings: readonly HexText[];
}

/** An {@link MptBatchProof} as JSON. */
export interface MptBatchProofJson {
  readonly nodes: readonly HexText[];
}

/** An {@link MptRangeProof} as JSON. */
export interface MptRangeProofJson {
  readonly entries: readonly (readonly [key: HexText, value: HexText])[];
  readonly nodes: readonly HexText[];
}

/** An {@link SmtBatchProof} as JSON: `null` is an empty place, `"inner"` one with two sides, a pair a leaf, a text a hash. */
export interface SmtBatchProofJson {
  readonly parts: readonly (
    | null
    | "inner"
    | HexText
    | readonly [keyHash: HexText, value: HexText]
  )[];
}

/** The JSON form of a proof. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function mptProofToJson({ key, value, nodes }: MptProof): MptProofJson {
  return {
    key: toText(key),
    value: value === undefined ? null : toText(value),
    nodes: toTexts(nodes),
  };
}

/**
 * Reads the JSON form of a proof, as strictly as the bytes: no other field, no upper-case digit. It is not verified.
 *
 * @param json - what `JSON.parse` gave; not trusted
 * @throws TrieError TRIE_PROOF_FORMAT, TRIE_PROOF_TOO_LARGE
 */
export function mptProofFromJson(json: unknown): MptProof {
  const fields = fieldsOf(json, ["key", "value", "nodes"]);
  return {
    key: fromText(fields["key"]),
    value: fields["value"] === null ? undefined : fromText(fields["value"]),
    nodes: fromTexts(fields["nodes"]),
  };
}

/** The JSON form of a proof. @throws TrieError TRIE_PROOF_FORMAT if it is none, TRIE_PROOF_TOO_LARGE */
export function smtProofToJson({ keyHash, leaf, siblings }: SmtProof): SmtProofJson {
  checkSiblingCount(siblings.length);
  return {
    keyHash: toText(keyHash, HASH_SIZE),
    leaf:
      leaf === undefined
        ? null
        : { keyHash: toText(leaf.keyHash, HASH_SIZE), value: toText(leaf.value) },
    siblings: toTexts(siblings, HASH_SIZE),
  };
}

/** Reads the JSON form of a proof. As {@link mptProofFromJson}. */
export function smtProofFromJson(json: unknown): SmtProof {
  const fields = fieldsOf(json, ["keyHash", "leaf", "siblings"]);
  const siblings = fromTexts(fields["siblings"], HASH_SIZE);
  checkSiblingCount(siblings.length);
  const keyHash = fromText(fields["keyHash"], HASH_SIZE);
  if (fields["leaf"] === null) return { keyHash, leaf: undefined, siblings };
  const leaf = fieldsOf(fields["leaf"], ["keyHash", "value"]);
  return { keyHash, leaf: leafFromJson(leaf["keyHash"], leaf["value"]), siblings };
}

/** The JSON form of a proof. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function mptBatchProofToJson({ nodes }: MptBatchProof): MptBatchProofJson {
  return { nodes: toTexts(nodes) };
}

/** Reads the JSON form of a proof. As {@link mptProofFromJson}. */
export function mptBatchProofFromJson(json: unknown): MptBatchProof {
  return { nodes: fromTexts(fieldsOf(json, ["nodes"])["nodes"]) };
}

/** The JSON form of a proof. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function mptRangeProofToJson({ entries, nodes }: MptRangeProof): MptRangeProofJson {
  return {
    entries: entries.map(({ key, value }) => [toText(key), toText(value)]),
    nodes: toTexts(nodes),
  };
}

/** Reads the JSON form of a proof. As {@link mptProofFromJson}. */
export function mptRangeProofFromJson(json: unknown): MptRangeProof {
  const fields = fieldsOf(json, ["entries", "nodes"]);
  const entries = listOf(fields["entries"]).map((entry) => {
    const [key, value] = pairOf(entry);
    return { key: fromText(key), value: fromText(value) };
  });
  return { entries, nodes: fromTexts(fields["nodes"]) };
}

/** The JSON form of a proof. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function smtBatchProofToJson({ parts }: SmtBatchProof): SmtBatchProofJson {
  return {
    parts: parts.map((part) => {
      checkPart(part);
      switch (part.kind) {
        case "empty":
          return null;
        case "inner":
          return "inner";
        case "leaf":
          return [toText(part.leaf.keyHash), toText(part.leaf.value)];
        case "hash":
          return toText(part.hash);
        default:
          return part satisfies never;
      }
    }),
  };
}

/** Reads the JSON form of a proof. As {@link mptProofFromJson}. */
export function smtBatchProofFromJson(json: unknown): SmtBatchProof {
  return { parts: listOf(fieldsOf(json, ["parts"])["parts"]).map(partFromJson) };
}

function partFromJson(json: unknown): SmtPart {
  if (json === null) return { kind: "empty" };
  if (json === "inner") return { kind: "inner" };
  if (Array.isArray(json)) {
    const [keyHash, value] = pairOf(json);
    return { kind: "leaf", leaf: leafFromJson(keyHash, value) };
  }
  const part = { kind: "hash", hash: fromText(json, HASH_SIZE) } as const;
  checkPart(part);
  return part;
}

function leafFromJson(keyHash: unknown, value: unknown): SmtProofLeaf {
  return { keyHash: fromText(keyHash, HASH_SIZE), value: fromText(value) };
}

/** The values of exactly these own fields. */
function fieldsOf(json: unknown, names: readonly string[]): Record<string, unknown> {
  if (typeof json !== "object" || json === null) throw failure("FORMAT", "is not an object");
  const keys = Reflect.ownKeys(json);
  if (keys.length !== names.length || !names.every((name) => keys.includes(name)))
    throw failure("FORMAT", "has other fields than it must");
  return json as Record<string, unknown>;
}

function listOf(json: unknown): unknown[] {
  if (!Array.isArray(json)) throw failure("FORMAT", "has no list where one must be");
  // A copy without places that hold nothing.
  return Array.from(json as unknown[]);
}

function pairOf(json: unknown): unknown[] {
  const pair = listOf(json);
  if (pair.length !== 2) throw failure("FORMAT", "has a pair that is none");
  return pair;
}

function toTexts(list: readonly Uint8Array[], size?: number): HexText[] {
  return Array.from(list, (bytes) => toText(bytes, size));
}

function fromTexts(json: unknown, size?: number): Uint8Array[] {
  return listOf(json).map((text) => fromText(text, size));
}

function toText(bytes: Uint8Array, size?: number): HexText {
  checkField(bytes, "field", size);
  return `0x${toHex(bytes)}`;
}

function fromText(text: unknown, size?: number): Uint8Array {
  if (typeof text !== "string" || !/^0x(?:[0-9a-f]{2})*$/.test(text))
    throw failure("FORMAT", "has something that is not 0x and lower-case hex digits");
  const bytes = fromHex(text.slice(2));
  checkField(bytes, "field", size);
  return bytes;
}
