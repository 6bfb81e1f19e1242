import { compareBytes } from "@x/hash";
import { checkKey } from "./checks.ts";

/** What a proof shows of a key: its value, a fresh copy, or that it has none. */
export type Presence =
  | { readonly kind: "present"; readonly value: Uint8Array<ArrayBuffer> }
  | { readonly kind: "absent" };

export const ABSENT: Presence = Object.freeze({ kind: "absent" });

/** What is shown where a walk ended. */
export function presenceOf(value: Uint8Array | undefined): Presence {
  return value === undefined ? ABSENT : { kind: "present", value: new Uint8Array(value) };
}

/** A path that is asked for; its place among the results is the caller's. */
export interface Query {
  readonly path: Uint8Array;
  /** Places of the keys that have this path: a key may be asked for twice. */
  readonly places: readonly number[];
}

/** The paths of keys, ascending, each once. @throws TypeError if a key is not bytes */
export function queriesOf(
  keys: readonly Uint8Array[],
  pathOf: (key: Uint8Array) => Uint8Array,
): Query[] {
  const all = keys.map((key, place) => {
    checkKey(key);
    return { path: pathOf(key), place };
  });
  const queries: { path: Uint8Array; places: number[] }[] = [];
  for (const { path, place } of all.toSorted((a, b) => compareBytes(a.path, b.path))) {
    const last = queries.at(-1);
    if (last !== undefined && compareBytes(last.path, path) === 0) last.places.push(place);
    else queries.push({ path, places: [place] });
  }
  return queries;
}

/** What was found, in the order of the keys. */
export class Findings {
  readonly #found: Presence[] = [];

  put({ places }: Query, value: Uint8Array | undefined): void {
    for (const place of places) this.#found[place] = presenceOf(value);
  }

  finish(): Presence[] {
    return this.#found;
  }
}
