import { runSync } from "@x/store";
import { describe, expect, it } from "vitest";
import {
  type Change,
  compactNodes,
  getLeaf,
  jmtSha256,
  type ProofRules,
  rooch,
  type TreeContext,
  update,
  type UpdateResult,
} from "../src/index.ts";
import { NodeMap } from "./tree-subject.ts";

const format = compactNodes({ keys: true });
const path = new Uint8Array(32).fill(7);
const value = Uint8Array.of(1);

function apply(
  context: TreeContext,
  changes: readonly Change[],
  map = new NodeMap(),
): UpdateResult {
  const result = runSync(update(context, context.scheme.placeholder, changes), map);
  map.write(result);
  return result;
}

describe("a change", () => {
  const context: TreeContext = { scheme: jmtSha256(), format };

  it("that is malformed is the caller's mistake, even if a later one replaces it", () => {
    const good: Change = { path, value };
    for (const [bad, type] of [
      [{ path: path.subarray(1), value }, RangeError],
      [{ path: [...path] as never, value }, TypeError],
      [{ path, value: "text" as never }, TypeError],
      [{ path, value: null as never }, TypeError],
      [{ path, value, key: "text" as never }, TypeError],
    ] as const)
      expect(() => apply(context, [bad, good])).toThrow(type);
    const short = new Uint8Array(31);
    expect(() => runSync(update(context, short, [good]), new NodeMap())).toThrow(RangeError);
  });

  it("is copied before the first read", () => {
    const map = new NodeMap();
    const { root } = apply(context, [{ path: new Uint8Array(32), value }], map);
    const mutable = { path: path.slice(), value: value.slice(), key: Uint8Array.of(5) };
    const reading = update(context, root, [mutable]);
    const { value: asked } = reading.next([]);
    mutable.path.fill(0);
    mutable.value.fill(0);
    mutable.key.fill(0);
    const step = reading.next(map.viewManySync(asked as Uint8Array[]));
    map.write(step.value as UpdateResult);
    expect(runSync(getLeaf(context, (step.value as UpdateResult).root, path), map)).toEqual({
      kind: "leaf",
      path,
      value,
      key: Uint8Array.of(5),
    });
  });

  it("keeps its key only where the format keeps keys", () => {
    const changes = [{ path, value, key: Uint8Array.of(5) }];
    const plain: TreeContext = { ...context, format: compactNodes() };
    const [withKey, without] = [apply(context, changes), apply(plain, changes)];
    expect(withKey.root).toEqual(without.root);
    expect(withKey.counters.bytesWritten - without.counters.bytesWritten).toBe(2);
  });

  it("of nothing still is a value", () => {
    const map = new NodeMap();
    const { root } = apply(context, [{ path, value: new Uint8Array(0) }], map);
    expect(runSync(getLeaf(context, root, path), map)?.value).toEqual(new Uint8Array(0));
  });
});

describe("what could pass for two hashes", () => {
  const wide = new Uint8Array(64);
  const code = expect.objectContaining({ code: "JELLYFISH_REFUSED" }) as unknown;

  function run(rules?: ProofRules): { wide: () => unknown; placeholder: () => unknown } {
    const context: TreeContext = { scheme: rooch(), format, rules };
    return {
      wide: () => apply(context, [{ path, value: wide }]),
      placeholder: () => apply(context, [{ path: context.scheme.placeholder, value }]),
    };
  }

  it("is refused under a scheme that hashes leaves and inner nodes alike", () => {
    expect(run().wide).toThrow(code);
    expect(run().placeholder).toThrow(code);
    expect(run({}).wide).toThrow(code);
  });

  it("is taken once its rule is switched off, each for itself", () => {
    const first = run({ refuse64ByteValues: false });
    expect(first.wide).not.toThrow();
    expect(first.placeholder).toThrow(code);
    const second = run({ refusePlaceholderPath: false });
    expect(second.wide).toThrow(code);
    expect(second.placeholder).not.toThrow();
  });

  it("may be removed, and is nothing special under a separated scheme", () => {
    const shared: TreeContext = { scheme: rooch(), format };
    const removal = [{ path: shared.scheme.placeholder, value: undefined }];
    expect(apply(shared, removal).nodes).toEqual([]);
    const separated: TreeContext = { scheme: jmtSha256(), format };
    expect(
      apply(separated, [{ path: separated.scheme.placeholder, value: wide }]).nodes,
    ).toHaveLength(1);
  });

  it("of other sizes is taken", () => {
    const context: TreeContext = { scheme: rooch(), format };
    for (const size of [0, 63, 65, 128])
      expect(apply(context, [{ path, value: new Uint8Array(size) }]).nodes).toHaveLength(1);
  });
});
