import { describe, expect, it } from "vitest";
import { NodeKeys } from "../src/node-keys.ts";
import { NodeSource } from "../src/node-source.ts";
import { Workspace } from "../src/workspace.ts";

describe("a source of nodes", () => {
  it("finds a node that was deleted while the store was asked, and lives on in memory", () => {
    const { workspace, source } = made();
    const reading = source.nodes([7]);
    expect(reading.next([]).value).toHaveLength(1);
    const node = { kind: "value", bytes: Uint8Array.of(1, 2) } as const;
    workspace.refer(7);
    workspace.add(7, node);
    expect(reading.next([undefined])).toEqual({ done: true, value: [node] });
  });

  it("says which node is nowhere", () => {
    const reading = made().source.nodes([7]);
    reading.next([]);
    expect(() => reading.next([undefined])).toThrow(
      expect.objectContaining({ code: "BTREE_MISSING", id: 7 }),
    );
  });
});

function made(): { workspace: Workspace; source: NodeSource } {
  const workspace = new Workspace();
  const options = { format: 2, cacheByteCountMax: 0 } as const;
  return { workspace, source: new NodeSource(new NodeKeys(new Uint8Array(0)), workspace, options) };
}
