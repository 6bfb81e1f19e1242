import assert from "node:assert/strict";
import { type Random } from "@x/testing";
import {
  cherryPick,
  cutHistory,
  reset,
  retain,
  revert,
  squash,
  tags,
  upsert,
} from "../../src/index.ts";
import { type TextMap } from "./support.ts";

/** One call at random; what the state of the map does not allow is refused, and nothing else. */
export async function randomCall(random: Random, map: TextMap): Promise<void> {
  const branches = map.branches();
  const branch = random.pick(branches);
  const id = random.between(1, Math.max(1, map.stats().commitIdMax));
  const key = random.pick(["a", "b", "c", "d"]);
  const name = `name-${random.below(5)}`;
  const calls: readonly (() => Promise<unknown>)[] = [
    () => map.branch(branch.id).set(key, String(random.below(4))),
    () => map.branch(branch.id).commit(),
    () => map.branch(branch.id).commit(),
    () => map.createBranch(name, branch.id),
    () => map.deleteBranch(branch.id),
    () => map.merge(random.pick(branches).id, branch.id),
    () => map.branch(branch.id).rollbackTo(id),
    () => revert(map, branch.id, id, { strategy: "target" }),
    () => cherryPick(map, branch.id, id, { strategy: "source", skipEmpty: true }),
    () => reset(map, branch.id, id, { working: random.pick(["refuse", "keep", "discard"]) }),
    () => squash(map, branch.id, id),
    () => tags(map).set(name, id, { replace: random.chance(0.5) }),
    () => tags(map).delete(name),
    () => upsert(map, branch.id, key, (value) => (value === "1" ? undefined : "1")),
  ];
  const rare = random.chance(0.08)
    ? random.pick<() => Promise<unknown>>([
        () => retain(map, { commitCount: random.between(1, 6) }),
        () => cutHistory(map, id),
      ])
    : random.pick(calls);
  try {
    await rare();
  } catch (error) {
    assert.match((error as { readonly code?: string }).code ?? String(error), /^VERMAP_[A-Z_]+$/);
  }
}
