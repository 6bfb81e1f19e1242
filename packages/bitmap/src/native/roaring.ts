/**
 * The part of the package `roaring` that the adapter calls, by shape: nothing here needs the package
 * to be installed, to compile or to run.
 */

/** What `import roaring from "roaring"` gives, or `require("roaring")`. */
export interface RoaringModule {
  readonly RoaringBitmap32: RoaringBitmapClass;
}

/** The class of the addon's bitmaps. */
export interface RoaringBitmapClass {
  new (values: Iterable<number>): RoaringBitmap;
  deserialize(bytes: Uint8Array, format: "portable"): RoaringBitmap;
  and(a: RoaringOperand, b: RoaringOperand): RoaringBitmap;
  or(a: RoaringOperand, b: RoaringOperand): RoaringBitmap;
  xor(a: RoaringOperand, b: RoaringOperand): RoaringBitmap;
  andNot(a: RoaringOperand, b: RoaringOperand): RoaringBitmap;
}

/** What every bitmap of the addon can do, also one that cannot be changed. */
export interface RoaringOperand extends Iterable<number> {
  readonly size: number;
  has(value: number): boolean;
}

/** One bitmap of the addon. Ends of ranges are not included; ranks count values up to and with the argument. */
export interface RoaringBitmap extends RoaringOperand {
  tryAdd(value: number): boolean;
  delete(value: number): boolean;
  addMany(values: Iterable<number>): unknown;
  addRange(begin: number, end: number): unknown;
  removeRange(begin: number, end: number): unknown;
  clear(): unknown;
  rank(value: number): number;
  select(index: number): number | undefined;
  minimum(): number;
  maximum(): number;
  rangeCardinality(begin: number, end: number): number;
  andInPlace(other: RoaringOperand): unknown;
  orInPlace(other: RoaringOperand): unknown;
  xorInPlace(other: RoaringOperand): unknown;
  andNotInPlace(other: RoaringOperand): unknown;
  isEqual(other: RoaringOperand): boolean;
  isSubset(other: RoaringOperand): boolean;
  intersects(other: RoaringOperand): boolean;
  clone(): RoaringBitmap;
  runOptimize(): unknown;
  shrinkToFit(): unknown;
  /** Up to `limit` values from the one with `offset` values below it on. */
  rangeUint32Array(offset: number, limit: number): Uint32Array;
  toUint32Array(): Uint32Array;
  serialize(format: "portable"): Uint8Array;
}
