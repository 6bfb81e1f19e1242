import { type Bytes, type Store } from "@x/store";
import { copyBytes } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import { type Core, coreOf, internalsOf, type TreeInternals } from "./core.ts";
import { MapReads, type ReadPoint } from "./map-reads.ts";
import { type Pin } from "./pins.ts";

/** A version, or a tree that a leaf of it carries. */
export interface ViewPoint {
  readonly root: Bytes;
  readonly sequence: number;
  readonly leafCount: number | undefined;
}

/**
 * A retained root, for reading. It stays readable until the view is closed; one that is forgotten instead is closed when it
 * is collected as garbage.
 */
export class TreeView<K, V, S extends Store> extends MapReads<K, V, S> {
  readonly #core: Core<K, V, S>;
  readonly #version: ViewPoint;
  readonly #pin: Pin;

  constructor(internals: TreeInternals<K, V, S>, version: ViewPoint) {
    super(internals);
    this.#core = coreOf(internals);
    this.#version = version;
    this.#pin = this.#core.handle.pins.pin(version.sequence, this);
  }

  /** The root it reads. 32 fresh bytes. */
  override get root(): Bytes {
    return new Uint8Array(this.#version.root);
  }

  /** Leaves of this root; `undefined` for a nested one, which {@link count} counts. */
  get size(): number | undefined {
    return this.#version.leafCount;
  }

  /**
   * Reads a tree that a leaf of this view carries; for as long as this view is open.
   *
   * @param root - as the leaf's value names it
   */
  nested(root: Uint8Array): TreeView<K, V, S> {
    const { sequence } = this.#version;
    if (this.#pin.isReleased) throw closed();
    return new TreeView(internalsOf(this.#core), {
      sequence,
      root: copyBytes(root),
      leafCount: undefined,
    });
  }

  /** Lets go of the root; reads that are under way end as they began. Again does nothing. */
  close(): void {
    this.#pin.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected override pin(owner?: object): ReadPoint {
    const { handle } = this.#core;
    handle.assertOpen();
    if (this.#pin.isReleased) throw closed();
    const { root, sequence } = this.#version;
    const pin = handle.pins.pin(sequence, owner);
    return { root, release: () => pin.release() };
  }
}

function closed(): JellyfishError {
  return new JellyfishError("JELLYFISH_CLOSED", "the view is closed");
}
