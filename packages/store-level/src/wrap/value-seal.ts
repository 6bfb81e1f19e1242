import { StoreError } from "@x/store";

import { type Crc32 } from "@x/store/adapter";

/** How values lie in the database. */
export interface ValueSeal {
  /** Bytes the seal adds to a value. */
  readonly size: number;
  /** Writes value and seal to `into`, which is exactly as long. */
  write(into: Uint8Array, key: Uint8Array, value: Uint8Array): void;
  /**
   * Bytes of the value in what is stored for `key`, whose seal has been checked.
   *
   * @throws StoreError STORE_DAMAGED
   */
  valueSize(key: Uint8Array, stored: Uint8Array): number;
}

/** Values as they are: for databases that others write too. */
export const noSeal: ValueSeal = {
  size: 0,
  write: (into, _key, value) => into.set(value),
  valueSize: (_key, stored) => stored.length,
};

/** Bytes of a checksum. */
const CRC_SIZE = 4;

/** Values followed by the CRC-32 of key and value, big-endian: a value that is wrong, or another key's, is an error. */
export function crcSeal(crc32: Crc32): ValueSeal {
  return {
    size: CRC_SIZE,
    write(into, key, value) {
      into.set(value);
      const crc = crc32(value, crc32(key, 0));
      const at = value.length;
      into[at] = crc >>> 24;
      into[at + 1] = crc >>> 16;
      into[at + 2] = crc >>> 8;
      into[at + 3] = crc;
    },
    valueSize(key, stored) {
      const size = stored.length - CRC_SIZE;
      if (size < 0)
        throw new StoreError("STORE_DAMAGED", `a value of ${stored.length} bytes has no checksum`, {
          key,
        });
      const found =
        ((byteAt(stored, size) << 24) |
          (byteAt(stored, size + 1) << 16) |
          (byteAt(stored, size + 2) << 8) |
          byteAt(stored, size + 3)) >>>
        0;
      if (found !== crc32(stored.subarray(0, size), crc32(key, 0)))
        throw new StoreError(
          "STORE_DAMAGED",
          `checksum of a value of ${size} bytes does not match`,
          {
            key,
          },
        );
      return size;
    },
  };
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
