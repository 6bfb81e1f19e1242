import { concatBytes } from "@x/hash";
import { TrieError, type TrieErrorCode } from "../errors.ts";

/** First byte of a string and of a list, and of what has more than 55 bytes. Ethereum yellow paper, appendix B. */
const STRING = 0x80;
const LIST = 0xc0;
const SHORT_SIZE_MAX = 55;

/** One item of a list. */
export interface RlpItem {
  readonly isList: boolean;
  /** What is behind the header; a view of the input. */
  readonly payload: Uint8Array;
  /** Header and payload; a view of the input. */
  readonly raw: Uint8Array;
}

/** A byte string as RLP; fresh. */
export function encodeRlpString(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length === 1 && (bytes[0] as number) < STRING) return new Uint8Array(bytes);
  return concatBytes([header(STRING, bytes.length), bytes]);
}

/** A list of items that are RLP already; fresh. */
export function encodeRlpList(items: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const payload = concatBytes(items);
  return concatBytes([header(LIST, payload.length), payload]);
}

/** The items of a list that is all of the input. Strictly: every item in its one form. @throws TrieError of the given code */
export function decodeRlpList(bytes: Uint8Array, code: TrieErrorCode): RlpItem[] {
  const list = itemAt(bytes, 0, code);
  if (!list.isList || list.raw.length !== bytes.length) throw refusal(code, "is not one list");
  const items: RlpItem[] = [];
  for (let at = 0; at < list.payload.length;) {
    const item = itemAt(list.payload, at, code);
    items.push(item);
    at += item.raw.length;
  }
  return items;
}

/** The byte string that is all of the input; a view. @throws TrieError of the given code */
export function decodeRlpString(bytes: Uint8Array, code: TrieErrorCode): Uint8Array {
  const item = itemAt(bytes, 0, code);
  if (item.isList || item.raw.length !== bytes.length) throw refusal(code, "is not one string");
  return item.payload;
}

function itemAt(bytes: Uint8Array, at: number, code: TrieErrorCode): RlpItem {
  const first = bytes[at];
  if (first === undefined) throw refusal(code, "ends inside an item");
  if (first < STRING)
    return { isList: false, payload: bytes.subarray(at, at + 1), raw: bytes.subarray(at, at + 1) };
  const isList = first >= LIST;
  const short = first - (isList ? LIST : STRING);
  const sizeSize = Math.max(0, short - SHORT_SIZE_MAX);
  let size = sizeSize === 0 ? short : 0;
  for (const byte of bytes.subarray(at + 1, at + 1 + sizeSize)) size = size * 256 + byte;
  const start = at + 1 + sizeSize;
  if (start > bytes.length || size > bytes.length - start)
    throw refusal(code, "ends inside an item");
  if (sizeSize > 0 && (size <= SHORT_SIZE_MAX || bytes[at + 1] === 0))
    throw refusal(code, "has a long length");
  const payload = bytes.subarray(start, start + size);
  if (!isList && size === 1 && (payload[0] as number) < STRING)
    throw refusal(code, "has a byte with a header");
  return { isList, payload, raw: bytes.subarray(at, start + size) };
}

function header(base: number, size: number): Uint8Array {
  if (size <= SHORT_SIZE_MAX) return Uint8Array.of(base + size);
  const digits: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(base + SHORT_SIZE_MAX + digits.length, ...digits);
}

function refusal(code: TrieErrorCode, what: string): TrieError {
  return new TrieError(code, `RLP ${what}`);
}
