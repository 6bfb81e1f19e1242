import { HashError } from "../errors.ts";
import { i32, v128 } from "./instructions.ts";
import { encodeModule, FunctionBuilder } from "./module.ts";

/** The part of the WebAssembly API that is used here. The types of a portable package do not include it. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly arena: { readonly memory: WasmMemory } },
  ) => { readonly exports: object };
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
}

/** A memory that modules import. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Makes a memory of `pages` times 64 KiB that never grows. */
export function createMemory(pages: number): WasmMemory {
  return refusable(() => {
    const { Memory } = api();
    return new Memory({ initial: pages, maximum: pages });
  });
}

/**
 * Compiles a module at once and binds it to its memory.
 *
 * @returns its exported functions; the caller knows what the module exports
 */
export function instantiate(module: Uint8Array<ArrayBuffer>, memory: WasmMemory): object {
  return refusable(() => {
    const { Instance, Module } = api();
    return new Instance(new Module(module), { arena: { memory } }).exports;
  });
}

/** Whether this runtime knows vectors: it is asked to validate a module that uses some. */
export function hasVectors(): boolean {
  const f = new FunctionBuilder([]);
  const zero = i32.const(0);
  const sum = v128.add64(v128.load(zero, 0), v128.load32Splat(zero, 0));
  f.add(v128.store(zero, 0, v128.swizzle(sum, sum)));
  return api().validate(encodeModule([f], { f: 0 }));
}

function api(): WebAssemblyApi {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyApi };
  if (WebAssembly === undefined) {
    throw new HashError("HASH_WASM_UNAVAILABLE", "this runtime has no WebAssembly");
  }
  return WebAssembly;
}

/** Runtimes say in many ways that they will not: a policy of the page, a limit of size, no address space. */
function refusable<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof HashError) throw error;
    throw new HashError("HASH_WASM_UNAVAILABLE", "this runtime refuses to compile WebAssembly", {
      cause: error,
    });
  }
}
