/**
 * WebAssembly instructions as nested expressions: `i32.add(a, b)` is the code of `a`, the code of `b`, the opcode. Names and
 * opcodes are those of the WebAssembly core specification, version 2.
 */

/** Instructions that together leave at most one value on the stack: bytes, and code inside them. */
export type Code = readonly (number | Code)[];

/** Types of values, with their bytes in the binary format. */
export const ValueType = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** An unsigned integer below 2^32 as LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

/** A signed 32-bit integer as LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  while (rest < -0x40 || 0x3f < rest) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
  return bytes;
}

/** Two operands, then the opcode. */
export type Binary = (left: Code, right: Code) => Code;
/** Reads at `address + offset`; any alignment. */
export type Load = (address: Code, offset: number) => Code;
/** Writes at `address + offset`; any alignment. */
export type Store = (address: Code, offset: number, value: Code) => Code;

const binary =
  (...opcode: number[]): Binary =>
  (left, right) => [left, right, opcode];
// The alignment in the instruction is a hint; 0 says that there is none.
const load =
  (...opcode: number[]): Load =>
  (address, offset) => [address, opcode, 0, unsigned(offset)];
const store =
  (...opcode: number[]): Store =>
  (address, offset, value) => [address, value, opcode, 0, unsigned(offset)];
/** An instruction of the vector set. */
const vector = (number: number): number[] => [0xfd, ...unsigned(number)];

/** Instructions on 32-bit integers, addresses among them. */
export const i32: Record<
  | "equal"
  | "lessThan"
  | "add"
  | "subtract"
  | "multiply"
  | "and"
  | "or"
  | "xor"
  | "shiftRight"
  | "rotateRight",
  Binary
> &
  Record<"load" | "load8", Load> &
  Record<"store", Store> & { const(value: number): Code } = {
  const: (value) => [0x41, signed(value)],
  load: load(0x28),
  load8: load(0x2d),
  store: store(0x36),
  equal: binary(0x46),
  lessThan: binary(0x49),
  add: binary(0x6a),
  subtract: binary(0x6b),
  multiply: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shiftRight: binary(0x76),
  rotateRight: binary(0x78),
};

/** Instructions on 64-bit integers. Shift counts are 64 bits wide too. */
export const i64: Record<"add" | "and" | "or" | "xor" | "rotateRight", Binary> &
  Record<"load", Load> &
  Record<"store", Store> & { const(value: number): Code; extend(value: Code): Code } = {
  /** `value` has 31 bits. */
  const: (value) => [0x42, signed(value)],
  load: load(0x29),
  store: store(0x37),
  add: binary(0x7c),
  and: binary(0x83),
  or: binary(0x84),
  xor: binary(0x85),
  rotateRight: binary(0x8a),
  extend: (value) => [value, 0xad],
};

/** Instructions on 16 bytes taken as lanes. Shift counts are 32-bit integers. */
export const v128: Record<
  | "swizzle"
  | "and"
  | "andNot"
  | "or"
  | "xor"
  | "shiftLeft32"
  | "shiftRight32"
  | "add32"
  | "shiftLeft64"
  | "shiftRight64"
  | "add64",
  Binary
> &
  Record<"load" | "load32Splat" | "load64Splat", Load> &
  Record<"store", Store> & {
    const(bytes: Code): Code;
    readonly splat64: (value: Code) => Code;
    shuffle(left: Code, right: Code, bytes: Code): Code;
  } = {
  load: load(...vector(0)),
  load32Splat: load(...vector(9)),
  load64Splat: load(...vector(10)),
  store: store(...vector(11)),
  const: (bytes) => [vector(12), bytes],
  /** Byte i of the result is byte `bytes[i]` of both operands side by side. */
  shuffle: (left, right, bytes) => [left, right, vector(13), bytes],
  /** Byte i of the result is byte `right[i]` of the left operand. */
  swizzle: binary(...vector(14)),
  splat64: (value) => [value, vector(18)],
  and: binary(...vector(78)),
  /** `left & ~right`. */
  andNot: binary(...vector(79)),
  or: binary(...vector(80)),
  xor: binary(...vector(81)),
  shiftLeft32: binary(...vector(171)),
  shiftRight32: binary(...vector(173)),
  add32: binary(...vector(174)),
  shiftLeft64: binary(...vector(203)),
  shiftRight64: binary(...vector(205)),
  add64: binary(...vector(206)),
};

/** `first` where `condition` is not zero, otherwise `second`; both are computed. */
export function select(condition: Code, first: Code, second: Code): Code {
  return [first, second, condition, 0x1b];
}
