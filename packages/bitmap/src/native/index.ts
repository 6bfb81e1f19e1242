export { NativeBitmap, nativeBitmaps } from "./bitmap.ts";
export type {
  RoaringBitmap,
  RoaringBitmapClass,
  RoaringModule,
  RoaringOperand,
} from "./roaring.ts";
