export { type Codecs } from "./codecs.ts";
export { type Codec, type OrderedCodec } from "./codec.ts";
export { bytes, utf8 } from "./plain.ts";
export {
  i128,
  i16,
  i32,
  i64,
  i64Number,
  i8,
  u128,
  u16,
  u32,
  u64,
  u64Number,
  u8,
} from "./integer.ts";
export { list, tuple, type TupleOf } from "./tuple.ts";
export { json, type JsonValue } from "./json.ts";
export { fromLevel, type LevelEncoding } from "./level.ts";
