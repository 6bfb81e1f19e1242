import { type Reading } from "@x/store";

/**
 * The same reading, over the store and what is not in it yet: `lookup` is asked first.
 *
 * @yields the keys that `lookup` does not know
 */
export function* overlaid<T>(
  reading: Reading<T>,
  lookup: (key: Uint8Array) => Uint8Array | undefined,
): Reading<T> {
  let step = reading.next([]);
  while (step.done !== true) {
    const known = step.value.map((key) => lookup(key));
    const asked = step.value.filter((_, index) => known[index] === undefined);
    let values: readonly (Uint8Array | undefined)[] = [];
    try {
      if (asked.length > 0) values = yield asked;
    } catch (error) {
      step = reading.throw(error);
      continue;
    }
    let at = 0;
    step = reading.next(known.map((value) => value ?? values[at++]));
  }
  return step.value;
}
