import { constants } from "node:os";

import { AofError, type AofErrorCode } from "../errors.ts";

/** The `code` of an error of the system, as `EIO`; `undefined` for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * What the system said, in this package's terms, with the original as `cause`.
 *
 * @param action - what was being done, to which file, as `write of 32 bytes at 64 to a.bin`
 */
export function systemError(action: string, cause: unknown): AofError {
  const code = isQuota(cause) ? "EDQUOT" : systemCode(cause);
  return new AofError(codeOf(code), `${action} failed`, { cause });
}

/** Node.js has no name for a used-up quota and calls it `UNKNOWN`. */
function isQuota(cause: unknown): boolean {
  if (systemCode(cause) !== "UNKNOWN") return false;
  return (cause as { readonly errno?: unknown }).errno === -constants.errno.EDQUOT;
}

function codeOf(code: string | undefined): AofErrorCode {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return "AOF_NO_SPACE";
    case "ENOENT":
      return "AOF_MISSING";
    // A symbolic link, a folder, a socket or a pipe that nobody reads.
    case "ELOOP":
    case "EMLINK":
    case "EISDIR":
    case "ENXIO":
      return "AOF_NOT_A_FILE";
    case undefined:
    default:
      return "AOF_IO";
  }
}
