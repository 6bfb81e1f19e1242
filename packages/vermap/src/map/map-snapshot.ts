import { type Snapshot, type TreeReads } from "@x/btree";

import { type Codecs } from "../codec/codecs.ts";
import { VerMapError } from "../errors.ts";
import { MapReads } from "../reads/map-reads.ts";

/** One state of a map, kept as long as it is not released: whatever is written, collected or deleted. */
export class MapSnapshot<K, V> extends MapReads<K, V> {
  /** The commit it is of; `undefined`: a working state. */
  readonly commit: number | undefined;
  readonly #assertOpen: () => void;
  readonly #snapshot: Snapshot;
  #isReleased = false;

  /** Made by `VerMap.at`, which knows whether the map is open. */
  constructor(
    codecs: Codecs<K, V>,
    snapshot: Snapshot,
    commit: number | undefined,
    assertOpen: () => void,
  ) {
    super(codecs);
    this.#assertOpen = assertOpen;
    this.#snapshot = snapshot;
    this.commit = commit;
  }

  /** Root of its tree. */
  get root(): number {
    return this.#snapshot.root;
  }

  /** Gives the state up. Iterators that have begun go on; later calls fail with VERMAP_RELEASED. Again: nothing happens. */
  release(): void {
    this.#isReleased = true;
    this.#snapshot.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  protected override tree(): TreeReads {
    if (this.#isReleased) throw new VerMapError("VERMAP_RELEASED", "the snapshot was released");
    this.#assertOpen();
    return this.#snapshot;
  }
}
