/** Codes of system errors that the simulated disk knows. */
export type DiskErrorCode =
  | "EIO"
  | "ENOSPC"
  | "EDQUOT"
  | "EFBIG"
  | "EMFILE"
  | "EACCES"
  | "EROFS"
  | "EBADF"
  | "ENOENT"
  | "EEXIST"
  | "EISDIR";

/** What the simulated disk throws: an error with the code that any file system of this interface gives. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The system's error, wrapped as the interface demands. */
export function diskError(code: DiskErrorCode, action: string, name: string): DiskError {
  const cause = Object.assign(new Error(`${code}: simulated`), { code });
  return new DiskError(
    WRAPPED[code] ?? "AOF_IO",
    `${action} ${name === "" ? "of the folder" : name} failed`,
    {
      cause,
    },
  );
}

const WRAPPED: Readonly<Partial<Record<DiskErrorCode, string>>> = {
  ENOSPC: "AOF_NO_SPACE",
  EDQUOT: "AOF_NO_SPACE",
  EFBIG: "AOF_NO_SPACE",
  ENOENT: "AOF_MISSING",
  EISDIR: "AOF_NOT_A_FILE",
};
