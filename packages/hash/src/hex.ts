import { checkBytes } from "./bytes.ts";
import { HashError } from "./errors.ts";

const DIGITS = "0123456789abcdef";

/**
 * Writes bytes as hex: two lower-case digits per byte, first byte first, no `0x`.
 *
 * @param bytes - read, not kept
 * @throws TypeError if `bytes` is not a Uint8Array
 */
export function toHex(bytes: Uint8Array): string {
  checkBytes(bytes, "bytes");
  let text = "";
  for (const byte of bytes) text += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15);
  return text;
}

/**
 * Reads hex back: two digits per byte in either case, and nothing else (no `0x`, no spaces).
 *
 * @param text - not trusted
 * @param size - bytes that must come out; default: any number
 * @returns fresh bytes
 * @throws HashError HASH_HEX_LENGTH if the text has an odd number of characters or is not `2 * size` long,
 *   HASH_HEX_DIGIT if a character is not a hex digit
 * @throws TypeError if `text` is not a string
 * @throws RangeError if `size` is not a non-negative safe integer
 */
export function fromHex(text: string, size?: number): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string") throw new TypeError(`text must be a string, got ${typeof text}`);
  if (size !== undefined) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new RangeError(`size must be a non-negative safe integer, got ${size}`);
    }
    if (text.length !== size * 2) {
      throw new HashError(
        "HASH_HEX_LENGTH",
        `hex text has ${text.length} characters, want ${size * 2}`,
      );
    }
  }
  if (text.length % 2 !== 0) {
    throw new HashError(
      "HASH_HEX_LENGTH",
      `hex text has ${text.length} characters, want an even number`,
    );
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (digitAt(text, 2 * i) << 4) | digitAt(text, 2 * i + 1);
  }
  return bytes;
}

function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  // Setting bit 5 folds A-F onto a-f, and nothing else onto them.
  const letter = code | 0x20;
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x61 + 10;
  throw new HashError("HASH_HEX_DIGIT", `hex text has a character at ${index} that is not a digit`);
}
