import { type Random } from "@x/testing";

/**
 * A path in hex that is often close to one of `others`: it shares any number of leading bits with it, 255 included, so that
 * trees are deep where random paths would make them flat.
 */
export function drawPath(random: Random, others: readonly string[]): string {
  const other = others[random.below(others.length + 1)];
  const bytes = Array.from({ length: 32 }, () => random.below(256));
  if (other !== undefined && random.below(3) > 0) {
    const shared = random.below(256);
    for (let bit = 0; bit <= shared; bit++) {
      const mask = 128 >>> (bit & 7);
      const from = Number.parseInt(other.slice(2 * (bit >>> 3), 2 * (bit >>> 3) + 2), 16);
      const isSet = (from & mask) !== 0;
      const at = bit >>> 3;
      bytes[at] = ((bytes[at] as number) & ~mask) | (isSet === bit < shared ? mask : 0);
    }
  }
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
