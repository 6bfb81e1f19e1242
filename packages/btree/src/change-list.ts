import { compareBytes, copyBytes } from "@x/store/adapter";

import { ascendingPlaces } from "./key-index.ts";
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
  const keys: Uint8Array[] = [];
  const values: (Uint8Array | undefined)[] = [];
  let isAscending = true;
  for (const change of changes) {
    const { key, value } = checkedCopy(change, keys.length);
    const before = keys.at(-1);
    isAscending &&= before === undefined || compareBytes(before, key) < 0;
    keys.push(key);
    values.push(value);
  }
  return isAscending ? { keys, values } : ascending({ keys, values });
}

/** Changes in the order of their keys, without those that do not hold. */
function ascending({ keys, values }: ChangeList): ChangeList {
  const places = ascendingPlaces(keys);
  const lasting = places.filter((place, i) => {
    const next = places[i + 1];
    return next === undefined || compareBytes(at(keys, place), at(keys, next)) !== 0;
  });
  return { keys: lasting.map((i) => at(keys, i)), values: lasting.map((i) => values[i]) };
}

/** One change of a list alone. */
export function singleChange({ keys, values }: ChangeList, index: number): ChangeList {
  return { keys: [at(keys, index)], values: [values[index]] };
}

function checkedCopy(
  change: Change,
  index: number,
): { readonly key: Uint8Array; readonly value: Uint8Array | undefined } {
  const type: unknown = change?.type;
  if (type !== "put" && type !== "del")
    throw new TypeError(`change ${index} is of type ${String(type)}, neither put nor del`);
  if (!(change.key instanceof Uint8Array))
    throw new TypeError(`key of change ${index} is not a Uint8Array`);
  const key = copyBytes(change.key);
  if (change.type === "del") return { key, value: undefined };
  if (!(change.value instanceof Uint8Array))
    throw new TypeError(`value of change ${index} is not a Uint8Array`);
  return { key, value: copyBytes(change.value) };
}
