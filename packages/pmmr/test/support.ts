import { PmmrError, type PmmrErrorCode } from "../src/errors.ts";

/** Repetitions of random tests are multiplied by this; `TEST_SCALE` sets it. */
export const SCALE = Number(process.env["TEST_SCALE"] ?? 1);

/** Most time for one campaign, in milliseconds; only there so that a hang is noticed, also on a busy machine. */
export const CAMPAIGN_TIMEOUT: number = 60_000 * Math.max(1, SCALE);

/** Code of the package's error that an action throws, or `"none"`. Any other error goes on. */
export function codeOf(action: () => unknown): PmmrErrorCode | "none" {
  try {
    action();
  } catch (error) {
    if (error instanceof PmmrError) return error.code;
    throw error;
  }
  return "none";
}

/** The same of an action that is waited for. */
export async function codeOfAsync(action: () => Promise<unknown>): Promise<PmmrErrorCode | "none"> {
  try {
    await action();
  } catch (error) {
    if (error instanceof PmmrError) return error.code;
    throw error;
  }
  return "none";
}

/** What an action does: its result, the code of the package's error, or the name of a caller's mistake. */
export function verdictOf<T>(action: () => T): T | string {
  try {
    return action();
  } catch (error) {
    if (error instanceof PmmrError) return error.code;
    if (error instanceof RangeError || error instanceof TypeError) return error.name;
    throw error;
  }
}

/** Four bytes of `number`, big-endian. */
export function word(number: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number, false);
  return bytes;
}

/** Says how much a campaign did. */
export function report(line: string): void {
  process.stdout.write(`pmmr: ${line}\n`);
}
