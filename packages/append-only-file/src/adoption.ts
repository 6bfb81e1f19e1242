import { checkCount, EMPTY } from "./bytes.ts";
import { type TargetBlob, type TargetFile } from "./checkpoint.ts";
import { copyBytes } from "./copy-bytes.ts";
import { AofError } from "./errors.ts";
import { META_BYTES_MAX } from "./journal-header.ts";
import { type Adoption, type AdoptionRepair, type AdoptView, type GroupLayout } from "./layout.ts";
import { closeAll, type Medium, type MediumFile } from "./medium.ts";
import { isOwnName } from "./own-names.ts";

/** A verdict that lets the folder be opened. */
export type Acceptance = Exclude<Adoption, { readonly kind: "damaged" }>;

/**
 * Asks the owner about a folder that has no journal, or one that no longer counts.
 *
 * @throws AofError `AOF_FOREIGN_CHANGE` when the layout has no `adopt`; `AOF_DAMAGED` with the owner's list of problems, or with
 *   its exception as cause
 */
export function judge(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  repair: boolean,
): Acceptance {
  if (layout.adopt === undefined) {
    throw new AofError("AOF_FOREIGN_CHANGE", "the folder has files of the group and no journal");
  }
  const view = new FolderView(medium, layout.prefix, names);
  let verdict: Adoption;
  try {
    verdict = layout.adopt(view, { repair });
  } catch (cause) {
    if (cause instanceof AofError) throw cause;
    throw new AofError("AOF_DAMAGED", "the folder was refused by its owner", { cause });
  } finally {
    view.close();
  }
  if (verdict.kind === "damaged") throw damaged(verdict.problems, verdict.repairable);
  if (verdict.kind === "repair" && !repair) throw damaged(["the folder needs repair"], true);
  if (verdict.meta.length > META_BYTES_MAX) {
    throw new RangeError(
      `meta must be at most ${META_BYTES_MAX} bytes, got ${verdict.meta.length}`,
    );
  }
  return verdict;
}

/** What an accepted folder becomes, and the content its blobs have then. */
export interface AdoptionPlan {
  readonly files: readonly TargetFile[];
  readonly blobs: readonly TargetBlob[];
  readonly blobBytes: readonly (Uint8Array | undefined)[];
  /** Bytes of each append file afterwards; `undefined` where a side file brings them. */
  readonly sizes: readonly (number | undefined)[];
  /** Open files; the caller closes them. */
  readonly opened: readonly MediumFile[];
}

/** Turns a verdict into what a new journal shall describe. Only reads. */
export function planAdoption(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  verdict: Acceptance,
): AdoptionPlan {
  const repair = verdict.kind === "repair" ? verdict : undefined;
  const opened: MediumFile[] = [];
  const open = (name: string): MediumFile => {
    const file = medium.open(name, "existing");
    opened.push(file);
    return file;
  };
  try {
    const files = layout.files.map(({ name }, i) => adoptFile(open, names, name, i, repair));
    const blobBytes = layout.blobs.map(({ name }, i) => {
      const given = repair?.blobs[i];
      if (given !== undefined || !names.has(name)) return given;
      const file = open(name);
      const bytes = medium.allocate(file.size());
      file.readInto(0, bytes);
      return bytes;
    });
    const blobs = blobBytes.map((bytes, i): TargetBlob => {
      if (bytes === undefined) return { kind: "kept", content: undefined };
      if (repair?.blobs[i] !== undefined) return { kind: "replaced", write: () => bytes };
      return {
        kind: "kept",
        content: { length: bytes.length, digest: medium.sha256([bytes]) },
      };
    });
    const sizes = files.map((file) => (file.kind === "kept" ? file.length : undefined));
    return { files, blobs, blobBytes, sizes, opened };
  } catch (cause) {
    closeAll(opened);
    throw cause;
  }
}

function adoptFile(
  open: (name: string) => MediumFile,
  names: ReadonlySet<string>,
  name: string,
  index: number,
  repair: AdoptionRepair | undefined,
): TargetFile {
  const wanted = repair?.sizes[index];
  if (wanted !== undefined) checkCount("a repaired size", wanted);
  const content = repair?.content?.[index];
  const from = repair?.takeFrom?.[index];
  if (content !== undefined || (from === undefined && !names.has(name))) {
    const bytes = content ?? EMPTY;
    const length = fitting(name, wanted, bytes.length);
    return {
      kind: "replaced",
      write: async (side) => {
        side.write(0, bytes.subarray(0, length));
        return length;
      },
    };
  }
  const file = open(from ?? name);
  const length = fitting(name, wanted, file.size());
  if (from === undefined) return { kind: "kept", length };
  return {
    kind: "replaced",
    write: async (side) => {
      await copyBytes(file, length, side, [[0, length]]);
      return length;
    },
  };
}

function fitting(name: string, wanted: number | undefined, found: number): number {
  if (wanted !== undefined && wanted > found) {
    throw new RangeError(`${name} has ${found} bytes and cannot be repaired to ${wanted}`);
  }
  return wanted ?? found;
}

function damaged(problems: readonly string[], repairable: boolean): AofError {
  const first = problems[0] ?? "no reason given";
  return new AofError("AOF_DAMAGED", `the folder has ${problems.length} problems: ${first}`, {
    problems,
    repairable,
  });
}

/** Reading only, through handles kept until {@link FolderView.close}. */
class FolderView implements AdoptView {
  readonly #medium: Medium;
  readonly #names: ReadonlySet<string>;
  readonly #prefix: string;
  readonly #opened = new Map<string, MediumFile>();

  constructor(medium: Medium, prefix: string, names: ReadonlySet<string>) {
    this.#medium = medium;
    this.#prefix = prefix;
    this.#names = names;
  }

  names(): string[] {
    return [...this.#names].filter((name) => !isOwnName(this.#prefix, name));
  }

  size(name: string): number | undefined {
    return this.#file(name)?.size();
  }

  read(name: string, at: number, length: number): Uint8Array<ArrayBuffer> {
    checkCount("at", at);
    checkCount("length", length);
    const file = this.#file(name);
    const bytes = this.#medium.allocate(Math.min(length, Math.max(0, (file?.size() ?? 0) - at)));
    file?.readInto(at, bytes);
    return bytes;
  }

  close(): void {
    closeAll(this.#opened.values());
    this.#opened.clear();
  }

  #file(name: string): MediumFile | undefined {
    if (!this.#names.has(name)) return undefined;
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const file = this.#medium.open(name, "existing");
    this.#opened.set(name, file);
    return file;
  }
}
