import { expect, expectTypeOf, test } from "vitest";
import { nativeBitmaps, type RoaringModule } from "../src/native/index.ts";

// The package `roaring` may be absent here, and its types with it. These are its declarations of what
// the adapter calls, as of 2.7.0, so that a caller's `import roaring from "roaring"` is known to fit.

interface DeclaredReadonly extends Iterable<number> {
  get size(): number;
  has(value: unknown): boolean;
  minimum(): number;
  maximum(): number;
  rangeCardinality(rangeStart: number | undefined, rangeEnd?: number): number;
  isSubset(other: DeclaredReadonly): boolean;
  isEqual(other: DeclaredReadonly): boolean;
  intersects(other: DeclaredReadonly): boolean;
  rank(maxValue: number): number;
  select(rank: number): number | undefined;
  rangeUint32Array(minimumValue: number, maximumValue: number): Uint32Array;
  rangeUint32Array(output: Uint32Array, offset: number, limit?: number): Uint32Array;
  toUint32Array(): Uint32Array;
  toUint32Array(maxSize: number): Uint32Array;
  serialize(format: "portable" | "croaring" | boolean, output?: undefined): Uint8Array;
  clone(): Declared;
}

interface Declared extends DeclaredReadonly {
  clear(): boolean;
  tryAdd(...values: (number | string | null | undefined)[]): boolean;
  addMany(values: Iterable<number> | ArrayLike<number>): this;
  delete(...values: (number | string | null | undefined)[]): boolean;
  addRange(rangeStart: number | undefined, rangeEnd?: number): this;
  removeRange(rangeStart: number | undefined, rangeEnd?: number): this;
  orInPlace(values: Iterable<number>): this;
  andNotInPlace(values: Iterable<number>): this;
  andInPlace(values: Iterable<number>): this;
  xorInPlace(values: Iterable<number>): this;
  runOptimize(): boolean;
  shrinkToFit(): number;
}

interface DeclaredClass {
  new (capacity?: number): Declared;
  new (values: Iterable<number>): Declared;
  new (bitmap: DeclaredReadonly, frozen: "frozen"): Declared;
  deserialize(
    serialized: Uint8Array | ArrayBuffer | null | undefined,
    format: "portable" | "croaring" | boolean,
  ): Declared;
  and(a: DeclaredReadonly, b: DeclaredReadonly): Declared;
  or(a: DeclaredReadonly, b: DeclaredReadonly): Declared;
  xor(a: DeclaredReadonly, b: DeclaredReadonly): Declared;
  andNot(a: DeclaredReadonly, b: DeclaredReadonly): Declared;
}

test("the module is handed over as it declares itself", () => {
  expectTypeOf<{ readonly RoaringBitmap32: DeclaredClass }>().toExtend<RoaringModule>();
  expectTypeOf<{ readonly RoaringBitmap32: unknown }>().not.toExtend<RoaringModule>();
  expect(nativeBitmaps).toBeTypeOf("function");
});
