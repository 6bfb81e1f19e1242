import { type Bytes, type Store } from "@x/store";

import { JellyfishError } from "../errors.ts";
import { type Core } from "./core.ts";
import { type Version } from "./layout.ts";
import { MapReads, type ReadPoint } from "./map-reads.ts";
import { type Pin } from "./pins.ts";

/**
 * A retained root, for reading. It stays readable until the view is closed; one that is forgotten instead is closed when it
 * is collected as garbage.
 */
export class TreeView<K, V, S extends Store> extends MapReads<K, V, S> {
  readonly #version: Pick<Version, "root" | "leafCount" | "sequence">;
  readonly #pin: Pin;

  constructor(core: Core<K, V, S>, version: Pick<Version, "root" | "leafCount" | "sequence">) {
    super(core);
    this.#version = version;
    this.#pin = core.handle.pins.pin(version.sequence, this);
  }

  /** The root it reads. 32 fresh bytes. */
  override get root(): Bytes {
    return new Uint8Array(this.#version.root);
  }

  /** Leaves of this root; of a nested one, those of the tree that carries it. */
  get size(): number {
    return this.#version.leafCount;
  }

  /** Lets go of the root; reads that are under way end as they began. Again does nothing. */
  close(): void {
    this.#pin.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected override pin(owner?: object): ReadPoint {
    const { handle } = this.core;
    handle.assertOpen();
    if (this.#pin.isReleased) throw new JellyfishError("JELLYFISH_CLOSED", "the view is closed");
    const { root, leafCount, sequence } = this.#version;
    const pin = handle.pins.pin(sequence, owner);
    return { root, leafCount, release: () => pin.release() };
  }
}
