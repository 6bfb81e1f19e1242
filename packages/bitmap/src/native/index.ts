export { NativeBitmap, nativeBitmaps } from "./bitmap.ts";
export type { RoaringBitmap, RoaringBitmapClass, RoaringModule } from "./roaring.ts";
