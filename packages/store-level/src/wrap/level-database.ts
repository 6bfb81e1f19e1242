/**
 * What a {@link wrap}ped database must have: a part of abstract-level 3, with keys and values as `view`s. Any of its
 * implementations fits.
 */
export interface LevelDatabase {
  readonly status: string;
  readonly supports: LevelSupports;
  open(): Promise<void>;
  close(): Promise<void>;
  get(key: Uint8Array, options: ViewEncodings): Promise<Uint8Array | undefined>;
  getMany(keys: Uint8Array[], options: ViewEncodings): Promise<(Uint8Array | undefined)[]>;
  /** Used where `supports.getSync`. */
  getSync(key: Uint8Array, options: SnapshotOption): Uint8Array | undefined;
  batch(operations: LevelOperation[], options: LevelBatchOptions): Promise<void>;
  iterator(options: LevelRange): LevelIterator;
  /** Used where `supports.explicitSnapshots`. */
  snapshot(): LevelSnapshot;
}

/** What a database declares about itself. */
export interface LevelSupports {
  readonly explicitSnapshots?: boolean;
  readonly implicitSnapshots?: boolean;
  readonly getSync?: boolean;
  /** Whether it outlives the process. */
  readonly permanence?: boolean;
}

/** Keys and values as `Uint8Array`, whatever the database's own encodings are. */
export interface ViewEncodings {
  readonly keyEncoding: "view";
  readonly valueEncoding: "view";
}

/** Reads as of a snapshot, where one is given. */
export interface SnapshotOption extends ViewEncodings {
  readonly snapshot?: LevelSnapshot;
}

/** One change, as abstract-level takes it. */
export type LevelOperation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

/** How a batch is written. */
export interface LevelBatchOptions extends ViewEncodings {
  /** Known to classic-level; others ignore it. */
  readonly sync: boolean;
}

/** Bounds, direction and limit of an iteration. */
export interface LevelRange extends SnapshotOption {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse: boolean;
  readonly limit: number;
}

/** What is used of an iterator. */
export interface LevelIterator {
  /** No entries: the end. */
  nextv(size: number): Promise<[Uint8Array, Uint8Array][]>;
  close(): Promise<void>;
}

/** What is used of an explicit snapshot. */
export interface LevelSnapshot {
  ref(): void;
  unref(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Keys and values as `Uint8Array`s. */
export const VIEWS: ViewEncodings = { keyEncoding: "view", valueEncoding: "view" };
