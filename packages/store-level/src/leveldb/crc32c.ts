import { type Crc32, makeCrc32 } from "@x/store/adapter";

/** CRC-32C (Castagnoli), which LevelDB uses. */
export const crc32c: Crc32 = makeCrc32(0x82f63b78);

/** LevelDB stores checksums rotated and shifted, since a checksum over data that holds checksums is weak. */
const MASK_DELTA = 0xa282ead8;

/** The checksum in its stored form. */
export function maskCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
