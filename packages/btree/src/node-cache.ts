import { type Node } from "./node.ts";

/** What an engine adds to each byte string, about. */
const BYTES_PER_VIEW = 100;
const BYTES_PER_NODE = 300;

/** Bytes that a decoded node takes in memory, about. */
export function memoryOf(node: Node): number {
  if (node.kind === "value") return BYTES_PER_NODE + node.bytes.length;
  const { keys, keyByteCount } = node;
  const size = BYTES_PER_NODE + (BYTES_PER_VIEW + 8) * keys.length + keyByteCount;
  return node.kind === "inner"
    ? size + 16 * node.children.length
    : size + BYTES_PER_VIEW * keys.length + node.valueByteCount;
}

interface Cached {
  readonly node: Node;
  readonly byteCount: number;
  wasUsed: boolean;
}

/**
 * Decoded nodes within a budget of bytes. What was used since it was last looked at gets a second chance, so that a hit
 * costs a look-up and no reordering.
 */
export class NodeCache {
  readonly #nodes = new Map<number, Cached>();
  readonly #byteCountMax: number;
  #byteCount = 0;

  constructor(byteCountMax: number) {
    this.#byteCountMax = byteCountMax;
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  get(id: number): Node | undefined {
    const cached = this.#nodes.get(id);
    if (cached === undefined) return undefined;
    cached.wasUsed = true;
    return cached.node;
  }

  set(id: number, node: Node): void {
    this.delete(id);
    const byteCount = memoryOf(node);
    this.#nodes.set(id, { node, byteCount, wasUsed: false });
    this.#byteCount += byteCount;
    if (this.#byteCount > this.#byteCountMax) this.#evict();
  }

  delete(id: number): void {
    const cached = this.#nodes.get(id);
    if (cached === undefined) return;
    this.#nodes.delete(id);
    this.#byteCount -= cached.byteCount;
  }

  /** The oldest goes, unless it was used meanwhile: then it is the youngest again. */
  #evict(): void {
    for (const [id, cached] of this.#nodes) {
      if (this.#byteCount <= this.#byteCountMax) return;
      this.#nodes.delete(id);
      if (cached.wasUsed) {
        cached.wasUsed = false;
        this.#nodes.set(id, cached);
      } else this.#byteCount -= cached.byteCount;
    }
  }
}
