import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type Algorithm,
  type HashEngine,
  type HashError,
  portableEngine,
} from "../../src/index.ts";
import { createWasmEngine, preferredEngine } from "../../src/wasm/index.ts";
import { bytes } from "../cases.ts";

const ALGORITHMS: readonly Algorithm[] = ["blake2b-256", "sha-256", "sha3-256", "keccak-256"];
const NO_PREFIX = new Uint8Array(0);
/** The largest module that a page's main thread compiles at once, where browsers have a limit. */
const MODULE_SIZE_MAX = 4096;

/** The API as far as these tests look behind it. The types of Node do not include it. */
interface WebAssemblyApi {
  readonly Instance: unknown;
  readonly Memory: new (limits: object) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array) => object;
  readonly validate: (code: Uint8Array) => boolean;
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi };
const { Memory, Module } = WebAssembly;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** The preferred engine as a program that just started would choose it. */
async function freshPreferredEngine(): Promise<HashEngine> {
  vi.resetModules();
  const { preferredEngine: fresh } = await import("../../src/wasm/index.ts");
  return fresh;
}

/** Replaces parts of the API until the test ends. */
function stubWebAssembly(parts: Partial<WebAssemblyApi>): void {
  const { Instance, validate } = WebAssembly;
  vi.stubGlobal("WebAssembly", { Instance, Memory, Module, validate, ...parts });
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as HashError).code;
  }
  return "nothing was thrown";
}

function expectToHash(engine: HashEngine): void {
  for (const algorithm of ALGORITHMS) {
    const expected = portableEngine.createHasher(algorithm, bytes(3)).hash(bytes(90));
    expect(engine.createHasher(algorithm, bytes(3)).hash(bytes(90))).toEqual(expected);
  }
}

describe("an engine of WebAssembly", () => {
  test("says whether it uses vectors, and uses them by default where they are known", () => {
    expect(createWasmEngine({ simd: true }).name).toBe("wasm-simd");
    expect(createWasmEngine({ simd: false }).name).toBe("wasm");
    expect(createWasmEngine().name).toBe("wasm-simd");
  });

  test("is refused where there is no WebAssembly", () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(codeOf(() => createWasmEngine())).toBe("HASH_WASM_UNAVAILABLE");
  });

  test("is refused where a policy forbids compiling, with the runtime's error as cause", () => {
    const refusal = new Error("refused by policy");
    stubWebAssembly({
      Module: class extends Module {
        constructor(code: Uint8Array) {
          super(code);
          throw refusal;
        }
      },
    });
    expect(codeOf(() => createWasmEngine())).toBe("HASH_WASM_UNAVAILABLE");
    expect(() => createWasmEngine()).toThrow(expect.objectContaining({ cause: refusal }));
  });

  test("goes without vectors where they are not known, and refuses to be forced", () => {
    stubWebAssembly({ validate: () => false });
    const engine = createWasmEngine();
    expect(engine.name).toBe("wasm");
    expectToHash(engine);
    expect(codeOf(() => createWasmEngine({ simd: true }))).toBe("HASH_WASM_UNAVAILABLE");
  });

  test("compiles no module that a page's main thread would refuse for its size", () => {
    const sizes: number[] = [];
    stubWebAssembly({
      Module: class extends Module {
        constructor(code: Uint8Array) {
          sizes.push(code.length);
          super(code);
        }
      },
    });
    const engine = createWasmEngine({ simd: true });
    expectToHash(engine);
    // The first module only asks whether compiling is allowed; SHA-3 and Keccak share theirs.
    expect(sizes).toHaveLength(1 + 3 * 2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MODULE_SIZE_MAX);
  });

  test("compiles and takes memory once per family, and its memory never grows", () => {
    const memories: InstanceType<typeof Memory>[] = [];
    stubWebAssembly({
      Memory: class extends Memory {
        constructor(limits: object) {
          super(limits);
          memories.push(this);
        }
      },
    });
    const engine = createWasmEngine();
    memories.length = 0;
    for (let i = 0; i < 50; i++) {
      for (const algorithm of ALGORITHMS) {
        const hasher = engine.createHasher(algorithm, bytes(i));
        hasher.hash(bytes(300_000));
        hasher.hashMany(bytes(72 * 3000), 72, 3000, new Uint8Array(32 * 3000));
      }
    }
    expect(memories.map(({ buffer }) => buffer.byteLength)).toEqual([65536, 65536, 65536]);
  });
});

describe("the preferred engine", () => {
  test("is the fastest one here, and stays the same", () => {
    expect(preferredEngine.name).toBe("wasm-simd");
    expectToHash(preferredEngine);
    stubWebAssembly({ validate: () => false });
    expect(preferredEngine.name).toBe("wasm-simd");
  });

  test("does nothing before it is used", async () => {
    let compiled = 0;
    stubWebAssembly({
      Module: class extends Module {
        constructor(code: Uint8Array) {
          compiled++;
          super(code);
        }
      },
    });
    const engine = await freshPreferredEngine();
    expect(compiled).toBe(0);
    expect(engine.name).toBe("wasm-simd");
    expect(compiled).toBe(1);
  });

  test("is one without vectors where they are not known", async () => {
    stubWebAssembly({ validate: () => false });
    const engine = await freshPreferredEngine();
    expect(engine.name).toBe("wasm");
    expectToHash(engine);
  });

  test("is the portable engine where there is no WebAssembly", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const engine = await freshPreferredEngine();
    expect(engine.name).toBe("portable");
    expectToHash(engine);
  });

  test("hashes portably what the runtime refuses to compile later on", async () => {
    let memoryCount = 0;
    stubWebAssembly({
      Memory: class extends Memory {
        constructor(limits: object) {
          // One for the question whether compiling is allowed, one for the first algorithm.
          if (++memoryCount > 2) throw new RangeError("no address space");
          super(limits);
        }
      },
    });
    const engine = await freshPreferredEngine();
    expectToHash(engine);
    const classOf = (algorithm: Algorithm): string =>
      engine.createHasher(algorithm, NO_PREFIX).constructor.name;
    expect(ALGORITHMS.map(classOf)).toEqual([
      "KernelHasher",
      "PortableHasher",
      "PortableHasher",
      "PortableHasher",
    ]);
  });
});
