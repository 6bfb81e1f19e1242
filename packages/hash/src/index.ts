export type { Algorithm, HashEngine, Hasher, HasherOptions } from "./hasher.ts";
