const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/**
 * Whether `name` may be used on a `FileSystem`: a letter or digit, then at most 127 letters, digits, `.`, `_` or
 * `-`, and no `..`. Such a name is the same on every platform and cannot leave its folder.
 */
export function isFileName(name: string): boolean {
  return typeof name === "string" && NAME.test(name) && !name.includes("..");
}

/**
 * Refuses a name that {@link isFileName} does not accept.
 *
 * @throws TypeError naming the length, not the content
 */
export function checkFileName(name: string): void {
  if (isFileName(name)) return;
  const shown = typeof name === "string" ? `one of ${name.length} characters` : typeof name;
  throw new TypeError(
    `file name must be 1 to 128 letters, digits, '.', '_' or '-' without '..', got ${shown}`,
  );
}
