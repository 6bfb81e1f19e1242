import { type Change, type Difference } from "./types.ts";

/** The change that makes a key what it is on the far side of a difference. Shares its bytes. */
export function changeOf(difference: Difference): Change {
  const { key } = difference;
  return difference.type === "removed"
    ? { type: "del", key }
    : { type: "put", key, value: difference.value };
}

/** The same difference the other way round. Shares its bytes. */
export function invert(difference: Difference): Difference {
  const { key } = difference;
  switch (difference.type) {
    case "added":
      return { type: "removed", key, oldValue: difference.value };
    case "removed":
      return { type: "added", key, value: difference.oldValue };
    case "modified": {
      const { oldValue, value } = difference;
      return { type: "modified", key, oldValue: value, value: oldValue };
    }
  }
}
