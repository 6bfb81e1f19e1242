/**
 * Refuses what is not a file offset or size: a safe integer of at least 0, in bytes.
 *
 * @param what - what the number is, for the message
 * @throws RangeError
 */
export function checkFileOffset(what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${what} must be a safe integer of at least 0, got ${String(value)}`);
}
