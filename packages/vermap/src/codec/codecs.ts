import { type Codec } from "./codec.ts";

/** How the keys and the values of a map become bytes. */
export interface Codecs<K, V> {
  /** The order of a map is that of its encoded keys. */
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}
