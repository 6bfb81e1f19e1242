export { Bitmap } from "./bitmap.ts";
export { BitmapError, type BitmapErrorCode, type BitmapErrorOptions } from "./errors.ts";
export type { DeserializeOptions } from "./reader.ts";
export type { U32Set, U32SetFactory, ValuesOptions } from "./u32-set.ts";
export type { SerializeOptions } from "./writer.ts";
