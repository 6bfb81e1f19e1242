import { VerMapError } from "../errors.ts";

/** The two of the platform's interfaces that text needs; every runtime has them. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> };
declare const TextDecoder: new (
  label: "utf-8",
  options: { readonly fatal: true; readonly ignoreBOM: true },
) => { decode(bytes: Uint8Array): string };

const encoder = /* @__PURE__ */ new TextEncoder();
/** `ignoreBOM` keeps a byte order mark, which is a character like any other here. */
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a string holds a surrogate that is no half of a pair: what UTF-8 has no bytes for. */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

/**
 * The UTF-8 form of a string.
 *
 * @returns fresh bytes
 * @throws TypeError if it is no string
 * @throws RangeError if it holds a lone surrogate
 */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") throw new TypeError(`want a string, got ${typeof text}`);
  if (hasLoneSurrogate(text)) throw new RangeError("a lone surrogate has no UTF-8 form");
  return encoder.encode(text);
}

/**
 * The string of UTF-8 bytes.
 *
 * @throws VerMapError VERMAP_UNDECODABLE if they are not well-formed
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new VerMapError("VERMAP_UNDECODABLE", `${bytes.length} bytes are no UTF-8`, { cause });
  }
}
