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
  and(a: RoaringBitmap, b: RoaringBitmap): RoaringBitmap;
  or(a: RoaringBitmap, b: RoaringBitmap): RoaringBitmap;
  xor(a: RoaringBitmap, b: RoaringBitmap): RoaringBitmap;
  andNot(a: RoaringBitmap, b: RoaringBitmap): RoaringBitmap;
}

/** One bitmap of the addon. Ends of ranges are not included; ranks count values up to and with the argument. */
export interface RoaringBitmap {
  readonly size: number;
  has(value: number): boolean;
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
  andInPlace(other: RoaringBitmap): unknown;
  orInPlace(other: RoaringBitmap): unknown;
  xorInPlace(other: RoaringBitmap): unknown;
  andNotInPlace(other: RoaringBitmap): unknown;
  isEqual(other: RoaringBitmap): boolean;
  isSubset(other: RoaringBitmap): boolean;
  intersects(other: RoaringBitmap): boolean;
  clone(): RoaringBitmap;
  runOptimize(): unknown;
  shrinkToFit(): unknown;
  /** Up to `limit` values from the one with `offset` values below it on. */
  rangeUint32Array(offset: number, limit: number): Uint32Array;
  toUint32Array(): Uint32Array;
  serialize(format: "portable"): Uint8Array;
}
