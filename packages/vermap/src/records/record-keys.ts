import { type Bytes } from "@x/store";

/** First byte of a key behind the prefix: what kind of record. Layout: FORMAT.md, "Keys". */
export const RecordKind = {
  format: 0,
  state: 1,
  commit: 2,
  mentions: 3,
  branch: 4,
  anchor: 5,
  nodes: 6,
} as const;

/** Bounds of a range of keys. */
export interface KeyBounds {
  readonly gte: Bytes;
  readonly lt: Bytes;
}

/** Where the records of one map are in the store. */
export class RecordKeys {
  readonly #prefix: Uint8Array;

  /** @param prefix - copied */
  constructor(prefix: Uint8Array) {
    this.#prefix = new Uint8Array(prefix);
  }

  /** What the map was made as; written once. */
  format(): Bytes {
    return this.#key(RecordKind.format, 0);
  }

  /** Counters; written with every batch. */
  state(): Bytes {
    return this.#key(RecordKind.state, 0);
  }

  commit(id: number): Bytes {
    return this.#numbered(RecordKind.commit, id);
  }

  /** How often a commit is mentioned, where that is not once. */
  mentions(id: number): Bytes {
    return this.#numbered(RecordKind.mentions, id);
  }

  branch(id: number): Bytes {
    return this.#numbered(RecordKind.branch, id);
  }

  /** @param kind - which anchors, 0…255 */
  anchor(kind: number, name: Uint8Array): Bytes {
    const key = this.#key(RecordKind.anchor, 1 + name.length);
    key[this.#prefix.length + 1] = kind;
    key.set(name, this.#prefix.length + 2);
    return key;
  }

  /** The prefix of the tree's nodes. */
  nodes(): Bytes {
    return this.#key(RecordKind.nodes, 0);
  }

  commits(): KeyBounds {
    return { gte: this.#key(RecordKind.commit, 0), lt: this.#key(RecordKind.mentions, 0) };
  }

  allMentions(): KeyBounds {
    return { gte: this.#key(RecordKind.mentions, 0), lt: this.#key(RecordKind.branch, 0) };
  }

  branches(): KeyBounds {
    return { gte: this.#key(RecordKind.branch, 0), lt: this.#key(RecordKind.anchor, 0) };
  }

  /** All anchors, or those of one kind. */
  anchors(kind?: number): KeyBounds {
    const all = { gte: this.#key(RecordKind.anchor, 0), lt: this.#key(RecordKind.nodes, 0) };
    if (kind === undefined) return all;
    const none = new Uint8Array();
    return {
      gte: this.anchor(kind, none),
      lt: kind === 0xff ? all.lt : this.anchor(kind + 1, none),
    };
  }

  /** Everything but the tree's nodes. */
  records(): KeyBounds {
    return { gte: this.#key(RecordKind.format, 0), lt: this.#key(RecordKind.nodes, 0) };
  }

  /** What kind of record a key is of. */
  kindOf(key: Uint8Array): number {
    return key[this.#prefix.length] ?? 0;
  }

  /** The id in a key of a commit, a count or a branch; `undefined` where the key has another length. */
  idOf(key: Uint8Array): number | undefined {
    const offset = this.#prefix.length + 1;
    if (key.length !== offset + 8) return undefined;
    const view = new DataView(key.buffer, key.byteOffset, key.length);
    return view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4);
  }

  /** Kind and name in a key of an anchor; `undefined` where the key is too short. */
  anchorOf(key: Uint8Array): { readonly kind: number; readonly name: Bytes } | undefined {
    const offset = this.#prefix.length + 1;
    const kind = key[offset];
    if (kind === undefined) return undefined;
    return { kind, name: new Uint8Array(key.subarray(offset + 1)) };
  }

  #numbered(kind: number, id: number): Bytes {
    const key = this.#key(kind, 8);
    const view = new DataView(key.buffer);
    view.setUint32(key.length - 8, Math.floor(id / 0x1_0000_0000));
    view.setUint32(key.length - 4, id >>> 0);
    return key;
  }

  #key(kind: number, size: number): Bytes {
    const key = new Uint8Array(this.#prefix.length + 1 + size);
    key.set(this.#prefix);
    key[this.#prefix.length] = kind;
    return key;
  }
}
