import { VerMapError } from "../errors.ts";
import { type Codec } from "./codec.ts";
import { decodeText, encodeText, hasLoneSurrogate } from "./text.ts";

/** What JSON can say. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Arrays and objects within one another, at most. */
const DEPTH_MAX = 256;

/**
 * Values as canonical JSON (RFC 8785): UTF-8 without white space, properties in the order of their UTF-16 code units, numbers
 * as ECMAScript writes them. Equal values have equal bytes, which is what diffs, merges and roots compare.
 *
 * Takes null, booleans, finite numbers, strings, arrays, and objects without a class. Properties that are `undefined` are
 * left out, as `JSON.stringify` does; −0 is written as 0. Anything else, and a property named `__proto__`, is a TypeError;
 * a number that is not finite, a lone surrogate, or a depth above 256 a RangeError.
 *
 * `T` is what the caller says the values are: bytes are checked to be canonical JSON, not to be a `T`.
 */
export function json<T = JsonValue>(): Codec<T> {
  return {
    name: "json",
    encode: (value) => encodeText(canonical(value, 0)),
    decode: (bytes) => decode(bytes) as T,
  };
}

function decode(bytes: Uint8Array): unknown {
  const text = decodeText(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // The engine's own message quotes the text, so only its kind is told.
    throw undecodable("no JSON", (cause as Error).name);
  }
  let again: string;
  try {
    again = canonical(value, 0);
  } catch (cause) {
    throw undecodable("JSON outside the rules", (cause as Error).message);
  }
  if (again !== text) throw undecodable("JSON that is not canonical");
  return value;
}

function canonical(value: unknown, depth: number): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") {
    if (Number.isFinite(value)) return JSON.stringify(value);
    throw new RangeError(`JSON has no ${value}`);
  }
  if (typeof value !== "object") throw new TypeError(`JSON has no ${typeof value}`);
  if (depth === DEPTH_MAX) throw new RangeError(`JSON deeper than ${DEPTH_MAX}`);
  return Array.isArray(value) ? canonicalArray(value, depth) : canonicalObject(value, depth);
}

/** Not by `map`, which would skip the holes of an array. */
function canonicalArray(items: readonly unknown[], depth: number): string {
  const parts: string[] = [];
  for (let index = 0; index < items.length; index++) parts.push(canonical(items[index], depth + 1));
  return `[${parts.join(",")}]`;
}

function canonicalObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm have another Object.prototype; theirs has none above it either.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError("JSON has no objects of a class");
  }
  const parts: string[] = [];
  // The default order of strings is that of their UTF-16 code units, which is the one the RFC asks for.
  for (const [key, property] of Object.entries(value).toSorted(byKey)) {
    if (key === "__proto__") throw new TypeError("JSON with a property named __proto__");
    if (property === undefined) continue;
    parts.push(`${quoted(key)}:${canonical(property, depth + 1)}`);
  }
  return `{${parts.join(",")}}`;
}

/** `JSON.stringify` would give a lone surrogate the form of an escape. */
function quoted(text: string): string {
  if (hasLoneSurrogate(text)) throw new RangeError("a lone surrogate has no UTF-8 form");
  return JSON.stringify(text);
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function undecodable(found: string, why?: string): VerMapError {
  const message = why === undefined ? `bytes are ${found}` : `bytes are ${found}: ${why}`;
  return new VerMapError("VERMAP_UNDECODABLE", message);
}
