import { type Codecs } from "../codec/codecs.ts";
import { type Repository } from "../repository/repository.ts";

/** What the calls of a map share: where its records are, and how keys and values become bytes. */
export interface MapInternals<K, V> {
  readonly repository: Repository;
  readonly codecs: Codecs<K, V>;
  /** Microseconds since 1970, for the next commit. */
  readonly clock: () => number;
  /** Whether a commit's time is above that of its parents, whatever the clock says. */
  readonly isMonotone: boolean;
}
