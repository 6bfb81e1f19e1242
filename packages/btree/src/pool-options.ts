import { copyBytes } from "@x/store/adapter";

import { type NodeFormat } from "./node-codec.ts";
import { type PoolOptions } from "./types.ts";

/** Options with their defaults. */
export interface ResolvedPoolOptions {
  readonly prefix: Uint8Array;
  /** `undefined`: whatever the pool has. */
  readonly format: NodeFormat | undefined;
  readonly compatible: boolean;
  readonly inlineByteCountMax: number;
  readonly cacheByteCountMax: number;
  readonly unsavedByteCountMax: number;
}

/** @throws TypeError, RangeError if an option is malformed */
export function resolveOptions(options: PoolOptions): ResolvedPoolOptions {
  const { prefix = new Uint8Array(), format, compatible = false } = options;
  if (!(prefix instanceof Uint8Array)) throw new TypeError("prefix is not a Uint8Array");
  if (format !== undefined && format !== 1 && format !== 2)
    throw new RangeError(`format is ${String(format)}, neither 1 nor 2`);
  if (typeof compatible !== "boolean")
    throw new TypeError(`compatible is a ${typeof compatible}, not a boolean`);
  return {
    prefix: copyBytes(prefix),
    format,
    compatible,
    inlineByteCountMax: byteCount(options, "inlineByteCountMax", 2048),
    cacheByteCountMax: byteCount(options, "cacheByteCountMax", 2 ** 25),
    unsavedByteCountMax: byteCount(options, "unsavedByteCountMax", 2 ** 26),
  };
}

function byteCount(
  options: PoolOptions,
  name: "inlineByteCountMax" | "cacheByteCountMax" | "unsavedByteCountMax",
  standard: number,
): number {
  const { [name]: count = standard } = options;
  if (count !== Infinity && !(Number.isSafeInteger(count) && count >= 0))
    throw new RangeError(`${name} is ${count}, not a count of bytes`);
  return count;
}
