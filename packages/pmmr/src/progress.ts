import { PmmrError } from "./errors.ts";

/** What asks a long operation to stop. An `AbortSignal` is one; it is read, never subscribed to. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** How far a long operation is, in the unit that the operation names. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What every long operation takes. */
export interface LongOptions {
  /** Looked at between steps; once aborted, the operation stops with PMMR_ABORTED. Default: never. */
  readonly signal?: StopSignal;
  /**
   * Called after each step, and awaited: a promise that waits for a turn of the event loop keeps a program responsive.
   * What it throws ends the operation. Default: nothing.
   */
  readonly onProgress?: (progress: Progress) => void | Promise<void>;
}

/**
 * Ends a step of a long operation.
 *
 * @throws PmmrError PMMR_ABORTED with the signal's reason as cause
 */
export async function endStep(options: LongOptions, done: number, total: number): Promise<void> {
  await options.onProgress?.({ done, total });
  throwIfAborted(options.signal, done, total);
}

/** @throws PmmrError PMMR_ABORTED with the signal's reason as cause */
export function throwIfAborted(signal: StopSignal | undefined, done: number, total: number): void {
  if (signal?.aborted !== true) return;
  throw new PmmrError("PMMR_ABORTED", `stopped at ${done} of ${total}`, { cause: signal.reason });
}
