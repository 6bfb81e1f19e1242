/** How much larger than usual campaigns are: the environment's `TEST_SCALE`, default 1. */
export function testScale(): number {
  const text = process.env["TEST_SCALE"] ?? "1";
  const scale = Number(text);
  if (!Number.isFinite(scale) || scale <= 0) {
    throw new RangeError(`TEST_SCALE must be a positive number, got ${text}`);
  }
  return scale;
}

/** `count` at the present {@link testScale}, at least 1. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * testScale()));
}

/** The environment's number of this name, or the default: for seeds. */
export function fromEnvironment(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${name} must be an integer, got ${text}`);
  return value;
}

/** Prints one line of what a campaign did, as `T-CRASH journal: images 12000, nested 3000`. */
export function printCounts(
  title: string,
  counts: Readonly<Record<string, number | string>>,
): void {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(`${title}: ${parts.join(", ")}`);
}

/** Prints why a campaign was not run here: a skip is counted and explained, never silent. */
export function printSkip(title: string, reason: string): void {
  console.log(`${title}: SKIPPED, ${reason}`);
}
