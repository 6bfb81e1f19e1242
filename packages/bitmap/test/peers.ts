import { loadRoaring } from "@x/testing";
import * as wasm from "roaring-wasm";

/** As much as the tests use of the bitmaps of `roaring` and `roaring-wasm`, which are alike. */
export interface PeerBitmap {
  readonly size: number;
  toUint32Array(): Uint32Array;
  serialize(format: "portable"): Uint8Array;
  /** Turns containers into runs where that is smaller. */
  runOptimize(): boolean;
  /** Turns containers of runs into others. */
  removeRunCompression(): boolean;
}

export interface Peer {
  readonly name: string;
  /** A bitmap of these values. */
  from(values: Uint32Array): PeerBitmap;
  /** Reads bytes that must be valid: a peer does not check them, and may take the process down. */
  deserialize(bytes: Uint8Array): PeerBitmap;
}

interface PeerModule {
  readonly RoaringBitmap32: {
    new (values: Uint32Array): PeerBitmap;
    deserialize(bytes: Uint8Array, format: "portable"): PeerBitmap;
  };
}

function peerOf(name: string, { RoaringBitmap32 }: PeerModule): Peer {
  return {
    name,
    from: (values) => new RoaringBitmap32(values),
    deserialize: (bytes) => RoaringBitmap32.deserialize(bytes, "portable"),
  };
}

/** The peers that are installed: `roaring-wasm` always, the native `roaring` where there is one. */
export async function loadPeers(): Promise<readonly Peer[]> {
  await wasm.roaringLibraryInitialize();
  const native = await loadRoaring();
  const peers = [peerOf("roaring-wasm", wasm)];
  if (native !== undefined) peers.push(peerOf("roaring", native as PeerModule));
  return peers;
}
