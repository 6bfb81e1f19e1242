import { compareBytes, copyBytes } from "@x/store/adapter";

import { at } from "./node.ts";
import { type Change } from "./types.ts";

/** Changes with ascending keys, one for each key; place i of both lists belongs together. `undefined`: the key goes. */
export interface ChangeList {
  readonly keys: readonly Uint8Array[];
  readonly values: readonly (Uint8Array | undefined)[];
}

/**
 * Copies, sorts and thins out changes; of several on one key the last holds.
 *
 * @throws TypeError if a change is malformed
 */
export function changeList(changes: Iterable<Change>): ChangeList {
  const copies: Change[] = [];
  let isAscending = true;
  for (const change of changes) {
    const copy = checkedCopy(change, copies.length);
    const before = copies.at(-1);
    if (before !== undefined && compareBytes(before.key, copy.key) >= 0) isAscending = false;
    copies.push(copy);
  }
  // The sort is stable: changes of one key stay in their order.
  if (!isAscending) copies.sort((a, b) => compareBytes(a.key, b.key));
  const keys: Uint8Array[] = [];
  const values: (Uint8Array | undefined)[] = [];
  for (const [i, change] of copies.entries()) {
    const next = copies[i + 1];
    if (!isAscending && next !== undefined && compareBytes(change.key, next.key) === 0) continue;
    keys.push(change.key);
    values.push(change.type === "put" ? change.value : undefined);
  }
  return { keys, values };
}

/** One change of a list alone. */
export function singleChange({ keys, values }: ChangeList, index: number): ChangeList {
  return { keys: [at(keys, index)], values: [values[index]] };
}

function checkedCopy(change: Change, index: number): Change {
  const type: unknown = change?.type;
  if (type !== "put" && type !== "del")
    throw new TypeError(`change ${index} is of type ${String(type)}, neither put nor del`);
  if (!(change.key instanceof Uint8Array))
    throw new TypeError(`key of change ${index} is not a Uint8Array`);
  const key = copyBytes(change.key);
  if (change.type === "del") return { type: "del", key };
  if (!(change.value instanceof Uint8Array))
    throw new TypeError(`value of change ${index} is not a Uint8Array`);
  return { type: "put", key, value: copyBytes(change.value) };
}
