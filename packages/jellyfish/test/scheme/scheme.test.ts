import { concatBytes, fromHex, toHex } from "@x/hash";
import { describe, expect, it } from "vitest";
import { jmtSha256, rooch } from "../../src/index.ts";
import { vectors } from "../vectors.ts";

interface HashVectors {
  readonly placeholder: string;
}
interface LeafVectors {
  readonly cases: readonly {
    readonly what: string;
    readonly key: string;
    readonly raw: string;
    readonly valueHash: string;
    readonly hash: string;
  }[];
}

describe("rooch", () => {
  const scheme = rooch();

  it("has the placeholder of the original", () => {
    expect(toHex(scheme.placeholder)).toBe((vectors("hash") as HashVectors).placeholder);
  });

  for (const leaf of (vectors("leaves") as LeafVectors).cases) {
    it(`hashes a value and its leaf as the original: ${leaf.what}`, () => {
      const valueHash = scheme.hashValue(fromHex(leaf.raw));
      const output = new Uint8Array(32);
      scheme.hashLeaves(concatBytes([fromHex(leaf.key), valueHash]), 1, output);
      expect([toHex(valueHash), toHex(output)]).toEqual([leaf.valueHash, leaf.hash]);
    });
  }
});

describe("jmtSha256", () => {
  it("agrees with the published root of one entry", () => {
    const scheme = jmtSha256();
    const bytes = new TextEncoder();
    const path = scheme.hashKey(bytes.encode("hello"));
    const output = new Uint8Array(32);
    const valueHash = scheme.hashValue(bytes.encode("world"));
    scheme.hashLeaves(concatBytes([path, valueHash]), 1, output);
    expect(toHex(output)).toBe("6b97115f56e533f2fd443f7e76e4d1ff94d34e6b2e233f2dbdf5cfd1ec39a30c");
  });
});
