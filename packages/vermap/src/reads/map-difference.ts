import { type Difference } from "@x/btree";

import { type Codecs } from "../codec/codecs.ts";

/** How one key differs between two states: what happened on the way from the first to the second. */
export type MapDifference<K, V> =
  | { readonly type: "added"; readonly key: K; readonly value: V }
  | { readonly type: "removed"; readonly key: K; readonly oldValue: V }
  | { readonly type: "modified"; readonly key: K; readonly oldValue: V; readonly value: V };

/** A difference of bytes as one of keys and values. */
export function decodeDifference<K, V>(
  { key: keyCodec, value: valueCodec }: Codecs<K, V>,
  difference: Difference,
): MapDifference<K, V> {
  const { type } = difference;
  const key = keyCodec.decode(difference.key);
  switch (type) {
    case "added":
      return { type, key, value: valueCodec.decode(difference.value) };
    case "removed":
      return { type, key, oldValue: valueCodec.decode(difference.oldValue) };
    case "modified": {
      const oldValue = valueCodec.decode(difference.oldValue);
      return { type, key, oldValue, value: valueCodec.decode(difference.value) };
    }
  }
}
