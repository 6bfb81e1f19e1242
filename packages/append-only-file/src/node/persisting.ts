import { systemCode } from "./system-error.ts";

const ATTEMPTS_MAX = 10;
const PAUSE_MS = 20;
const BUSY: ReadonlySet<string | undefined> = new Set(["EPERM", "EACCES", "EBUSY"]);

/**
 * Calls again, for about a second in all, while another program on Windows (a virus scanner, an indexer) has the file
 * open. Elsewhere the first error is the answer.
 *
 * @param platform - as `process.platform`
 * @throws what the last call threw
 */
export function persisting(call: () => void, platform: string = process.platform): void {
  for (let attempt = 1; ; attempt++) {
    try {
      call();
      return;
    } catch (error) {
      const again = platform === "win32" && BUSY.has(systemCode(error)) && attempt < ATTEMPTS_MAX;
      if (!again) throw error;
      pause(attempt * PAUSE_MS);
    }
  }
}

/** Stops the thread for so many milliseconds. */
export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
