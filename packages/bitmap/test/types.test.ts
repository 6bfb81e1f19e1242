import { loadRoaring } from "@x/testing";
import { expect, expectTypeOf, test } from "vitest";
import {
  Bitmap,
  BitmapError,
  type BitmapErrorCode,
  type DeserializeOptions,
  type SerializeOptions,
  type U32Set,
  type U32SetFactory,
  type ValuesOptions,
} from "../src/index.ts";
import type { NativeBitmap, RoaringModule } from "../src/native/index.ts";

test("both implementations are sets, of their own kind each", () => {
  expectTypeOf<Bitmap>().toExtend<U32Set<Bitmap>>();
  expectTypeOf<NativeBitmap>().toExtend<U32Set<NativeBitmap>>();
  expectTypeOf<NativeBitmap>().not.toExtend<U32Set<Bitmap>>();
  expectTypeOf<Bitmap["and"]>().parameters.toEqualTypeOf<[Bitmap]>();
  expect(Bitmap.from([1])).toBeInstanceOf(Bitmap);
});

test("bytes that are handed out have memory of their own", () => {
  const bytes = new Bitmap().serialize();
  expectTypeOf(bytes).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf<Bitmap["toArray"]>().returns.toEqualTypeOf<Uint32Array<ArrayBuffer>>();
  expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
});

test("options are closed shapes, and what is absent is left out", () => {
  expectTypeOf<{
    canonical: true;
    trailing: "ignore";
    bytesMax: 1;
  }>().toExtend<DeserializeOptions>();
  expectTypeOf<{ trailing: "keep" }>().not.toExtend<DeserializeOptions>();
  expectTypeOf<{ canonical: undefined }>().not.toExtend<DeserializeOptions>();
  expectTypeOf<{ runs: false }>().toExtend<SerializeOptions>();
  expectTypeOf<{ from: 1; reverse: true }>().toExtend<ValuesOptions>();
  expectTypeOf<{ from: undefined }>().not.toExtend<ValuesOptions>();
  expect(Bitmap.deserialize(new Bitmap().serialize(), {}).size).toBe(0);
});

test("codes are a closed union", () => {
  const error = new BitmapError("BITMAP_CORRUPT", "key 3 is not above 4", { offset: 7 });
  expectTypeOf(error.code).toEqualTypeOf<BitmapErrorCode>();
  expectTypeOf<BitmapErrorCode>().toEqualTypeOf<
    | "BITMAP_TRUNCATED"
    | "BITMAP_CORRUPT"
    | "BITMAP_TRAILING_BYTES"
    | "BITMAP_NON_CANONICAL"
    | "BITMAP_TOO_LARGE"
  >();
  expect(error).toMatchObject({ name: "BitmapError", code: "BITMAP_CORRUPT", offset: 7 });
});

function sizeOf<S extends U32Set<S>>(sets: U32SetFactory<S>): number {
  return sets.create().size;
}

test("a factory is what generic code asks for", () => {
  expectTypeOf<typeof Bitmap>().toExtend<Omit<U32SetFactory<Bitmap>, "create">>();
  expect(
    sizeOf({
      create: () => new Bitmap(),
      from: (values) => Bitmap.from(values),
      deserialize: (bytes, options) => Bitmap.deserialize(bytes, options),
    }),
  ).toBe(0);
});

test("the addon is asked for by shape, so nothing has to be installed", async () => {
  const roaring = (await loadRoaring()) as RoaringModule | undefined;
  expectTypeOf(roaring).toEqualTypeOf<RoaringModule | undefined>();
  expect(["function", "undefined"]).toContain(typeof roaring?.RoaringBitmap32);
});
