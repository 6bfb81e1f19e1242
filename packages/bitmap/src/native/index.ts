export type { U32Set, ValuesOptions } from "../u32-set.ts";
