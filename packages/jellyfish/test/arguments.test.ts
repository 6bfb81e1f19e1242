import { runSync } from "@x/store";
import { describe, expect, it } from "vitest";
import {
  applyPatch,
  childAndSiblings,
  compactNodes,
  type InternalNode,
  jmtSha256,
  neighbourOf,
  update,
} from "../src/index.ts";

const scheme = jmtSha256();
const context = { scheme, format: compactNodes() };
const reader = { viewManySync: (): never[] => [] };
const root = scheme.placeholder;

describe("an argument that is not what it should be", () => {
  it("is no root of an update, though 32 bytes could be made of it", () => {
    for (const strange of [32, Array.from(root), "x", undefined] as never[]) {
      expect(() => runSync(update(context, strange, []), reader)).toThrow("root must be");
    }
    expect(() => runSync(update(context, new Uint8Array(31), []), reader)).toThrow(RangeError);
  });

  it("is no path whose neighbour is looked for, and no side", () => {
    expect(() => runSync(neighbourOf(context, root, new Uint8Array(3), 0), reader)).toThrow(
      RangeError,
    );
    expect(() => runSync(neighbourOf(context, root, "x" as never, 0), reader)).toThrow(TypeError);
    expect(() => runSync(neighbourOf(context, root, root, 2 as never), reader)).toThrow(RangeError);
  });

  it("is no nibble", () => {
    const node: InternalNode = {
      kind: "internal",
      existence: 3,
      leaves: 3,
      hashes: new Uint8Array(64),
      counts: undefined,
    };
    for (const nibble of [-1, 16, 99, 0.5, Number.NaN]) {
      expect(() => childAndSiblings(node, nibble, scheme)).toThrow(RangeError);
    }
  });

  it("is no end of a patch", () => {
    const patch = { from: root, to: root, changes: [] };
    for (const end of [undefined, "x", new Uint8Array(31)] as never[]) {
      expect(() => runSync(applyPatch(context, { ...patch, to: end }), reader)).toThrow(
        "to of a patch must be",
      );
      expect(() => runSync(applyPatch(context, { ...patch, from: end }), reader)).toThrow(
        "root must be",
      );
    }
  });
});
