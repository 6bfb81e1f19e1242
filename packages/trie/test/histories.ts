import { fromHex, toHex } from "@x/hash";
import fc from "fast-check";
import type { Change } from "../src/index.ts";

/** Keys of a tiny alphabet collide, which is where the mistakes are. */
const key = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xff), { maxLength: 4 })
  .map((list) => Uint8Array.from(list));
const value = fc.uint8Array({ maxLength: 40 });

/** One change of an entry among few. */
export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant("put" as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("del" as const), key }) },
);

/** A key that may or may not be there. */
export const anyKey: fc.Arbitrary<Uint8Array> = key;

/** Changes one after another. */
export const history: fc.Arbitrary<Change[]> = fc.array(change, { maxLength: 60 });

/** Makes a change in a plain map of hex texts. */
export function applyTo(model: Map<string, string>, one: Change): void {
  if (one.type === "put") model.set(toHex(one.key), toHex(one.value));
  else model.delete(toHex(one.key));
}

/** The map that a history leaves. */
export function modelOf(changes: readonly Change[]): Map<string, string> {
  const model = new Map<string, string>();
  for (const one of changes) applyTo(model, one);
  return model;
}

/** The value of a key in a plain map. */
export function valueIn(
  model: ReadonlyMap<string, string>,
  one: Uint8Array,
): Uint8Array | undefined {
  const text = model.get(toHex(one));
  return text === undefined ? undefined : fromHex(text);
}
