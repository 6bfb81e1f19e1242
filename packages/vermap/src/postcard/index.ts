export { type ByteReader } from "../codec/byte-reader.ts";
export { type ByteWriter } from "../codec/byte-writer.ts";
export { type AnySchema, type Schema, type ValueOf } from "./schema.ts";
export {
  bool,
  bytes,
  char,
  f32,
  f64,
  i128,
  i16,
  i32,
  i64,
  i8,
  string,
  u128,
  u16,
  u32,
  u64,
  u64Number,
  u8,
  unit,
} from "./scalar.ts";
export {
  array,
  map,
  option,
  sequence,
  struct,
  type Tagged,
  taggedUnion,
  tuple,
} from "./composite.ts";
