import { SIZE_ENTRY_BYTES } from "@x/append-only-file";
import type { ElementCodec } from "../codec.ts";
import type { PmmrError, PmmrProblem, PmmrProblemKind } from "../errors.ts";
import type { MmrHashing } from "../hashing.ts";
import { HASH_SIZE } from "../wire.ts";
import { DATA_FILE, HASH_FILE, SIZE_FILE } from "./names.ts";

/** What can be read of a folder, whoever wrote it. Reading never changes it. */
export interface FolderView {
  /** Names of the files in it, in no particular order. */
  names(): string[];
  /** Bytes in a file, or `undefined` when there is none. */
  size(name: string): number | undefined;
  /** Fresh bytes; fewer than `length` where the file ends. */
  read(name: string, at: number, length: number): Uint8Array<ArrayBuffer>;
}

/** What a folder is supposed to hold. */
export interface FolderShape {
  readonly prunable: boolean;
  /** Bytes in every element record; `undefined` where each has its own size. */
  readonly recordSize: number | undefined;
  /** Where a record of variable size ends: see `ElementCodec.recordSizeAt`. */
  readonly recordSizeAt?: ElementCodec<never, unknown>["recordSizeAt"];
  readonly hashing: MmrHashing;
  /** Leaf hash made from a stored record; `undefined` where the record does not determine it or cannot be read. */
  hashRecord?(pos0: number, record: Uint8Array): Uint8Array | undefined;
}

/** An append file and its record size; 0 where each record has its own. */
export interface AppendFile {
  readonly name: string;
  readonly recordSize: number;
}

/** The append files of a folder, in the order in which the group keeps them. */
export function appendFilesOf(shape: Pick<FolderShape, "recordSize">): AppendFile[] {
  const hashes = { name: HASH_FILE, recordSize: HASH_SIZE };
  const data = { name: DATA_FILE, recordSize: shape.recordSize ?? 0 };
  if (shape.recordSize !== undefined) return [hashes, data];
  return [hashes, data, { name: SIZE_FILE, recordSize: SIZE_ENTRY_BYTES }];
}

/** Collects what is wrong, in the order in which it is found. */
export class Problems {
  readonly list: PmmrProblem[] = [];

  get count(): number {
    return this.list.length;
  }

  add(
    kind: PmmrProblemKind,
    file: string,
    message: string,
    details: Omit<PmmrProblem, "kind" | "file" | "message"> = {},
  ): void {
    this.list.push({ kind, file, message, ...details });
  }
}

/** One line that says how many problems there are and what the first is. */
export function summarise(problems: readonly PmmrProblem[]): string {
  const [first] = problems;
  if (first === undefined) return "nothing is wrong";
  const more = problems.length - 1;
  return more === 0 ? first.message : `${first.message}, and ${more} more`;
}

/** What went wrong, as text for a problem's message: codes only, never content. */
export function reasonOf(error: unknown): string {
  const { code } = error as Partial<PmmrError>;
  return typeof code === "string" ? code : error instanceof Error ? error.name : "unknown";
}
