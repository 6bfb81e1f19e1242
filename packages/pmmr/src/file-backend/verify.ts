import { SIZE_ENTRY_BYTES } from "@x/append-only-file";
import type { ElementCodec } from "../codec.ts";
import type { PmmrProblem } from "../errors.ts";
import { leafIndexAt } from "../position.ts";
import { endStep, type LongOptions } from "../progress.ts";
import { HASH_SIZE } from "../wire.ts";
import type { FolderShape, FolderView } from "./folder.ts";
import { HashWalk, nextStored, type StoredElement } from "./hash-walk.ts";
import { type FolderState, judgeFolder } from "./judge.ts";
import { DATA_FILE, HASH_FILE, SIZE_FILE } from "./names.ts";
import { readSizeEntry } from "./size-entries.ts";

/** What a verification takes. Progress counts nodes. */
export interface VerifyOptions extends LongOptions {
  /** Go on after the first problem and list them all, up to {@link PROBLEMS_MAX}. Default: false. */
  readonly all?: boolean;
}

/** What a verification found. */
export interface VerifyReport {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** In the order of positions; problems of whole files come first. Without `all`, the first alone. */
  readonly problems: readonly PmmrProblem[];
  /** Nodes in the range; `undefined` where the files do not agree on a size. */
  readonly size: number | undefined;
  /** Stored hashes looked at. */
  readonly hashCount: number;
  /** Stored records looked at. */
  readonly recordCount: number;
}

/** Most problems that a report lists. */
export const PROBLEMS_MAX = 1000;

/** Nodes between two turns. */
const STEP_NODES = 2048;

/** Looks at everything in a folder; see `PmmrFolder.verify`. */
export async function verifyFolder<S>(
  view: FolderView,
  shape: FolderShape & { readonly codec: Pick<ElementCodec<never, S>, "load" | "storedHashForm"> },
  root: Uint8Array | undefined,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const { problems, state } = judgeFolder(view, shape);
  if (state === undefined) {
    const listed = options.all === true ? problems : problems.slice(0, 1);
    return { ok: false, problems: listed, size: undefined, hashCount: 0, recordCount: 0 };
  }
  const walk = new HashWalk({ ...shape, prune: state.prune });
  const found: PmmrProblem[] = [];
  const isDone = await visitAll(view, shape, state, walk, found, options);
  if (isDone) walk.finish(state.size, root);
  found.push(...walk.takeFound());
  found.sort((a, b) => (a.position1 ?? 0) - (b.position1 ?? 0));
  return {
    ok: found.length === 0,
    problems: found.slice(0, options.all === true ? PROBLEMS_MAX : 1),
    size: state.size,
    hashCount: walk.hashCount,
    recordCount: walk.recordCount,
  };
}

/** Visits every stored node in ascending order; stops early, with false, when enough was found. */
async function visitAll(
  view: FolderView,
  shape: FolderShape,
  state: FolderState,
  walk: HashWalk,
  found: PmmrProblem[],
  options: VerifyOptions,
): Promise<boolean> {
  const hashes = new Window(view, HASH_FILE);
  const elements = new Elements(view, shape);
  let record = 0;
  let element = 0;
  let visited = 0;
  await endStep(options, 0, state.size);
  for (let pos0 = 0; pos0 < state.size; pos0++) {
    pos0 = nextStored(state.prune, pos0);
    const isStoredLeaf = leafIndexAt(pos0) !== undefined;
    const hash = hashes.read(HASH_SIZE * record, HASH_SIZE);
    walk.visit(pos0, hash, record, isStoredLeaf ? elements.read(element) : undefined);
    record++;
    if (isStoredLeaf) element++;
    if (++visited % STEP_NODES !== 0) continue;
    found.push(...walk.takeFound());
    await endStep(options, pos0 + 1, state.size);
    const enough = options.all === true ? PROBLEMS_MAX : 1;
    if (found.length >= enough && (options.all === true || !walk.isInDoubt)) return false;
  }
  await endStep(options, state.size, state.size);
  return true;
}

/** Element records by number, read in order. */
class Elements {
  readonly #data: Window;
  readonly #sizes: Window;
  readonly #recordSize: number | undefined;

  constructor(view: FolderView, shape: FolderShape) {
    this.#data = new Window(view, DATA_FILE);
    this.#sizes = new Window(view, SIZE_FILE);
    this.#recordSize = shape.recordSize;
  }

  read(index: number): StoredElement {
    const { offset, size } =
      this.#recordSize === undefined
        ? readSizeEntry(this.#sizes.read(SIZE_ENTRY_BYTES * index, SIZE_ENTRY_BYTES), 0)
        : { offset: index * this.#recordSize, size: this.#recordSize };
    return { bytes: this.#data.read(offset, size), offset };
  }
}

/** Bytes read at once. */
const WINDOW_SIZE = 1 << 16;

/** A file read from its beginning to its end, a window at a time. */
class Window {
  readonly #view: FolderView;
  readonly #name: string;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #begin = 0;

  constructor(view: FolderView, name: string) {
    this.#view = view;
    this.#name = name;
  }

  /** Fresh bytes; fewer than `length` only if the file ends. */
  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    if (at < this.#begin || this.#begin + this.#bytes.length < at + length) {
      this.#begin = at;
      this.#bytes = this.#view.read(this.#name, at, Math.max(WINDOW_SIZE, length));
    }
    return this.#bytes.slice(at - this.#begin, at - this.#begin + length);
  }
}
