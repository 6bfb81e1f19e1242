import { type Bytes } from "./types.ts";

/** First byte behind the prefix: what kind of record. Layout: FORMAT.md, "Keys". */
const Kind = { pool: 0, node: 1, countPage: 2, name: 3 } as const;

/** Where the records of one pool are in the store. */
export class NodeKeys {
  readonly #prefix: Uint8Array;

  /** @param prefix - copied */
  constructor(prefix: Uint8Array) {
    this.#prefix = new Uint8Array(prefix);
  }

  /** The pool's own record. */
  pool(): Bytes {
    return this.#key(Kind.pool, 0);
  }

  /** A node, or a value outside its leaf. Ids are big-endian: the store's order is that of making. */
  node(id: number): Bytes {
    return this.#numbered(Kind.node, id);
  }

  /** A page of counts. */
  countPage(page: number): Bytes {
    return this.#numbered(Kind.countPage, page);
  }

  /** A named root. */
  name(name: Uint8Array): Bytes {
    const key = this.#key(Kind.name, name.length);
    key.set(name, key.length - name.length);
    return key;
  }

  /** Bounds of all nodes from an id on. */
  nodesFrom(id: number): { readonly gte: Bytes; readonly lt: Bytes } {
    return { gte: this.node(id), lt: this.#key(Kind.countPage, 0) };
  }

  /** Bounds of all pages of counts from one on. */
  countPagesFrom(page: number): { readonly gte: Bytes; readonly lt: Bytes } {
    return { gte: this.countPage(page), lt: this.#key(Kind.name, 0) };
  }

  /** Bounds of all named roots. */
  names(): { readonly gte: Bytes; readonly lt: Bytes } {
    return { gte: this.#key(Kind.name, 0), lt: this.#key(Kind.name + 1, 0) };
  }

  /** The number in a key of a node or a page; `undefined` where the key has another length. */
  numberOf(key: Uint8Array): number | undefined {
    const offset = this.#prefix.length + 1;
    if (key.length !== offset + 8) return undefined;
    const view = new DataView(key.buffer, key.byteOffset, key.length);
    return view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4);
  }

  /** The name in a key of a named root. Fresh. */
  nameOf(key: Uint8Array): Bytes {
    return new Uint8Array(key.subarray(this.#prefix.length + 1));
  }

  #numbered(kind: number, number: number): Bytes {
    const key = this.#key(kind, 8);
    const view = new DataView(key.buffer);
    view.setUint32(key.length - 8, Math.floor(number / 0x1_0000_0000));
    view.setUint32(key.length - 4, number >>> 0);
    return key;
  }

  #key(kind: number, size: number): Bytes {
    const key = new Uint8Array(this.#prefix.length + 1 + size);
    key.set(this.#prefix);
    key[this.#prefix.length] = kind;
    return key;
  }
}
