import { concatBytes, fromHex, keccak256, toHex } from "@x/hash";
import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MptCalc, SmtCalc, TrieError } from "../src/index.ts";
import { history } from "./histories.ts";
import { vectors } from "./vectors.ts";

interface Case {
  readonly name: string;
  readonly ops: readonly (readonly [key: string, value: string | null])[];
  readonly mptRejected?: readonly number[];
  readonly cacheTag: number;
  readonly cache?: Record<"mpt" | "smt", string>;
  readonly cacheDigest?: Record<"mpt" | "smt", { length: number; keccak256: string }>;
}

const cases = vectors("cases") as readonly Case[];
const files = vectors("cacheFiles") as readonly {
  readonly name: string;
  readonly trie: "mpt" | "smt";
  readonly bytes: string;
  readonly result: "loads" | "rejected";
}[];
const kinds = [
  { kind: "mpt", open: () => new MptCalc(), load: MptCalc.fromCacheFile.bind(MptCalc) },
  { kind: "smt", open: () => new SmtCalc(), load: SmtCalc.fromCacheFile.bind(SmtCalc) },
] as const;

describe.each(kinds)("cache files, $kind", ({ kind, open, load }) => {
  test.each(cases)("$name is the original's, byte for byte, and loads", (one) => {
    const trie = open();
    const rejected = kind === "mpt" ? (one.mptRejected ?? []) : [];
    for (const [i, [key, value]] of one.ops.entries()) {
      if (rejected.includes(i)) continue;
      if (value === null) trie.delete(fromHex(key));
      else trie.set(fromHex(key), fromHex(value));
    }
    const file = trie.toCacheFile(BigInt(one.cacheTag));
    const digest = { length: file.length, keccak256: toHex(keccak256().hash(file)) };
    const want = one.cache === undefined ? undefined : fromHex(one.cache[kind]);
    expect(digest).toEqual(
      one.cacheDigest?.[kind] ?? {
        length: want?.length,
        keccak256: toHex(keccak256().hash(want as Uint8Array)),
      },
    );
    const loaded = load(file);
    expect(loaded.tag).toBe(BigInt(one.cacheTag));
    expect(loaded.trie.root()).toEqual(trie.root());
    expect(loaded.trie.toCacheFile(7n)).toEqual(trie.toCacheFile(7n));
  });

  test.each(files.filter(({ trie }) => trie === kind))("$name: $result", ({ bytes, result }) => {
    expect(outcome(() => load(fromHex(bytes)))).toBe(result);
  });

  test("what is loaded goes on as what was saved", () => {
    fc.assert(
      fc.property(history, history, (before, after) => {
        const trie = open();
        trie.batch(before);
        const loaded = load(trie.toCacheFile(1n)).trie;
        trie.batch(after);
        loaded.batch(after);
        expect(loaded.root()).toEqual(trie.root());
      }),
      { numRuns: scaled(50) },
    );
  });

  test("any bytes under a right checksum load into exactly that file, or are refused with a code", () => {
    fc.assert(
      fc.property(
        history,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom("set", "cut", "add")), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes, edits) => {
          const trie = open();
          trie.batch(changes);
          let body = Array.from(trie.toCacheFile(5n).subarray(0, -8));
          for (const [place, byte, edit] of edits) {
            const at = place % (body.length + 1);
            if (edit === "set") body = body.toSpliced(at, 1, byte);
            else if (edit === "cut") body = body.slice(0, at);
            else body = body.toSpliced(at, 0, byte);
          }
          const bytes = Uint8Array.from(body);
          const file = concatBytes([bytes, keccak256().hash(bytes).subarray(0, 8)]);
          const again = reload(load, file);
          expect(again ?? file).toEqual(file);
        },
      ),
      { numRuns: scaled(2000) },
    );
  });

  test("each refusal has its code, and a tag is 64 bits", () => {
    const trie = open();
    trie.set(Uint8Array.of(1), Uint8Array.of(2));
    const file = trie.toCacheFile(2n ** 64n - 1n);
    expect(load(file).tag).toBe(2n ** 64n - 1n);
    expect(() => trie.toCacheFile(2n ** 64n)).toThrow(RangeError);
    expect(() => trie.toCacheFile(-1n)).toThrow(RangeError);
    expect(codeOf(() => load(file.slice(1)))).toBe("TRIE_CACHE_CHECKSUM");
    expect(codeOf(() => load(sealed(Uint8Array.of(1))))).toBe("TRIE_CACHE_FORMAT");
    const body = file.slice(0, -8);
    body[17] = (body[17] as number) ^ 1;
    expect(codeOf(() => load(sealed(body)))).toBe("TRIE_CACHE_ROOT");
    const large = new Uint8Array(2 ** 29 + 1);
    expect(codeOf(() => load(large))).toBe("TRIE_CACHE_TOO_LARGE");
    expect(() => load("file" as never)).toThrow(TypeError);
  });
});

function sealed(body: Uint8Array): Uint8Array {
  return concatBytes([body, keccak256().hash(body).subarray(0, 8)]);
}

/** The file that a file is saved as once it is loaded; `undefined` where it is refused. */
function reload(
  load: (file: Uint8Array) => { tag: bigint; trie: MptCalc | SmtCalc },
  file: Uint8Array,
): Uint8Array | undefined {
  try {
    const { tag, trie } = load(file);
    return trie.toCacheFile(tag);
  } catch (error) {
    if (error instanceof TrieError) return undefined;
    throw error;
  }
}

function outcome(load: () => unknown): "loads" | "rejected" {
  return codeOf(load) === "none" ? "loads" : "rejected";
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return "none";
  } catch (error) {
    if (error instanceof TrieError) return error.code;
    throw error;
  }
}
