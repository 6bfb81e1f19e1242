/** Ids, the greatest first: the order in which a walk from heads to their ancestors sees every child before its parents. */
export class IdHeap {
  readonly #ids: number[] = [];

  get count(): number {
    return this.#ids.length;
  }

  push(id: number): void {
    const ids = this.#ids;
    let at = ids.length;
    ids.push(id);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = ids[above] as number;
      if (parent >= id) break;
      ids[at] = parent;
      at = above;
    }
    ids[at] = id;
  }

  /** The greatest id, taken off; `undefined` where there is none. */
  pop(): number | undefined {
    const ids = this.#ids;
    const [top] = ids;
    const last = ids.pop();
    if (last === undefined || ids.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= ids.length) break;
      if (below + 1 < ids.length && (ids[below + 1] as number) > (ids[below] as number)) below++;
      const child = ids[below] as number;
      if (child <= last) break;
      ids[at] = child;
      at = below;
    }
    ids[at] = last;
    return top;
  }
}
