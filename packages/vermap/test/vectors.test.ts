import { readFileSync } from "node:fs";

import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";

import { utf8 } from "../src/codec/index.ts";
import { type MapDifference, type MapReads, VerMap, VerMapError } from "../src/index.ts";
import { collect } from "./collect.ts";

type Id = string | number;

interface Step {
  readonly op: string;
  readonly branch?: Id;
  readonly name?: string;
  readonly id?: number;
  readonly from?: Id;
  readonly to?: Id;
  readonly a?: Id;
  readonly b?: Id;
  readonly ancestor?: Id;
  readonly commit?: Id;
  readonly source?: Id;
  readonly target?: Id;
  readonly key?: string;
  readonly value?: string;
  readonly lo?: Bound;
  readonly hi?: Bound;
  readonly as?: string;
  readonly result: { readonly ok: unknown } | { readonly error: string };
}

type Bound = null | { readonly incl: string } | { readonly excl: string };

interface Scenario {
  readonly group: string;
  readonly name: string;
  /** Name of the first branch. Default: main. */
  readonly main?: string;
  readonly steps: readonly Step[];
}

const { scenarios } = JSON.parse(
  readFileSync(new URL("vectors/vermap.json", import.meta.url), "utf8"),
) as { readonly scenarios: readonly Scenario[] };

/** The original's names of our codes. */
const ERRORS: Readonly<Record<string, string>> = {
  VERMAP_BRANCH_NOT_FOUND: "BranchNotFound",
  VERMAP_COMMIT_NOT_FOUND: "CommitNotFound",
  VERMAP_BRANCH_EXISTS: "BranchAlreadyExists",
  VERMAP_MAIN_BRANCH: "CannotDeleteMainBranch",
  VERMAP_UNCOMMITTED: "UncommittedChanges",
  VERMAP_SELF_MERGE: "SelfMerge",
  VERMAP_NO_COMMITS: "SourceHasNoCommits",
  VERMAP_NOT_ANCESTOR: "NotAncestor",
  VERMAP_FORMAT: "Trie",
};

/** What Merkle roots say of contents: the same contents have the same roots, others have others. */
class MerkleClasses {
  readonly #contents = new Map<string, string>();
  readonly #roots = new Map<string, string>();

  /** @returns the roots that these contents have, if any were seen; those expected otherwise */
  rootsOf(contents: string, expected: unknown): unknown {
    const roots = JSON.stringify(expected);
    const known = this.#roots.get(contents) ?? roots;
    if ((this.#contents.get(known) ?? contents) !== contents) return "roots of other contents";
    this.#roots.set(contents, known);
    this.#contents.set(known, contents);
    return JSON.parse(known);
  }
}

const classes = new MerkleClasses();

/** One scenario, as it is played. */
class Play {
  readonly #store = new MemoryStore();
  readonly #working: "stored" | "memory";
  readonly #main: string;
  readonly #labels = new Map<string, number>();
  #map: VerMap<string, string> | undefined;

  constructor(working: "stored" | "memory", main: string) {
    this.#working = working;
    this.#main = main;
  }

  async open(): Promise<void> {
    await this.#map?.close();
    this.#map = await VerMap.open(this.#store, {
      key: utf8,
      value: utf8,
      working: this.#working,
      mainBranch: this.#main,
      tree: { compatible: true },
    });
  }

  async take(step: Step): Promise<unknown> {
    try {
      const ok = await this.#run(step);
      if (step.as !== undefined) this.#labels.set(step.as, ok as number);
      return { ok: ok ?? null };
    } catch (error) {
      if (!(error instanceof VerMapError)) throw error;
      return { error: ERRORS[error.code] ?? error.code };
    }
  }

  async verify(): Promise<unknown> {
    return this.#opened.verify();
  }

  get #opened(): VerMap<string, string> {
    if (this.#map === undefined) throw new TypeError("not open");
    return this.#map;
  }

  #commit(id: Id | undefined): number {
    return typeof id === "string" ? (this.#labels.get(id) ?? 999) : (id ?? 999);
  }

  async #run(step: Step): Promise<unknown> {
    const map = this.#opened;
    switch (step.op) {
      case "mainBranch":
        return map.main.id;
      case "branches":
        return map.branches().map(({ id, name }) => [id, name]);
      case "branchId":
        return map.branchId(step.name ?? "");
      case "branchName":
        return map.branchName(step.id ?? 0);
      case "setMain":
        return map.setMain(step.branch ?? "");
      case "createBranch":
        return (await map.createBranch(step.name ?? "", step.from ?? "")).id;
      case "deleteBranch":
        return map.deleteBranch(step.branch ?? "");
      case "merge":
        return (await map.merge(step.source ?? "", step.target ?? "")).commit;
      case "forkPoint":
        return map.forkPoint(this.#commit(step.a), this.#commit(step.b));
      case "distance":
        return map.commitDistance(this.#commit(step.from), this.#commit(step.ancestor));
      case "diff":
        return listed(map.diff(this.#commit(step.from), this.#commit(step.to)));
      case "commitInfo":
        return this.#commitInfo(this.#commit(step.commit));
      case "gc":
        await map.repair();
        return null;
      case "reopen":
        return this.open();
      default:
        return step.branch === undefined ? this.#atCommit(step) : this.#onBranch(step);
    }
  }

  async #onBranch(step: Step): Promise<unknown> {
    const branch = this.#opened.branch(step.branch ?? "");
    const { key = "", value = "" } = step;
    switch (step.op) {
      case "insert":
        return branch.set(key, value);
      case "remove":
        return branch.delete(key);
      case "commit":
        return branch.commit();
      case "discard":
        return branch.discard();
      case "rollback":
        return branch.rollbackTo(this.#commit(step.to));
      case "dirty":
        return branch.hasUncommitted;
      case "head":
        return branch.head;
      case "log":
        return (await collect(branch.log())).map(({ id }) => id);
      case "diffUncommitted":
        return listed(branch.diffUncommitted());
      default:
        return readStep(branch, step);
    }
  }

  async #atCommit(step: Step): Promise<unknown> {
    using snapshot = await this.#opened.at(this.#commit(step.commit));
    return await readStep(snapshot, { ...step, op: step.op.replace(/At$/, "") });
  }

  async #commitInfo(id: number): Promise<unknown> {
    const commit = await this.#opened.commit(id);
    if (commit === undefined) return null;
    const { root, parents } = commit;
    const refCount = await this.#opened.mentionCount(id);
    return { emptyRoot: root === 0, id, parents, refCount };
  }
}

async function readStep(reads: MapReads<string, string>, step: Step): Promise<unknown> {
  const { key = "" } = step;
  switch (step.op) {
    case "get":
      expect(reads.getSync(key)).toBe(await reads.get(key));
      return reads.get(key);
    case "has":
      expect(reads.hasSync(key)).toBe(await reads.has(key));
      return reads.has(key);
    case "entries":
      expect([...reads.entriesSync()]).toEqual(await collect(reads.entries()));
      return collect(reads.entries());
    case "range":
      return collect(reads.entries({ ...lower(step.lo), ...upper(step.hi) }));
    case "merkle": {
      if (!("ok" in step.result)) throw longKey();
      const entries = await collect(reads.entries());
      return classes.rootsOf(JSON.stringify(entries), step.result.ok);
    }
    default:
      throw new TypeError(`there is no step ${step.op}`);
  }
}

/** The Merkle layer refuses long keys; it is another package. */
function longKey(): VerMapError {
  return new VerMapError("VERMAP_FORMAT", "a key of more than 1,024 bytes");
}

function lower(bound: Bound = null): { gte?: string; gt?: string } {
  if (bound === null) return {};
  return "incl" in bound ? { gte: bound.incl } : { gt: bound.excl };
}

function upper(bound: Bound = null): { lte?: string; lt?: string } {
  if (bound === null) return {};
  return "incl" in bound ? { lte: bound.incl } : { lt: bound.excl };
}

async function listed(differences: AsyncIterable<MapDifference<string, string>>): Promise<unknown> {
  const list: unknown[] = [];
  for await (const one of differences) {
    const { key, type: kind } = one;
    if (one.type === "added") list.push({ key, kind, value: one.value });
    else if (one.type === "removed") list.push({ key, kind, value: one.oldValue });
    else list.push({ key, kind, oldValue: one.oldValue, newValue: one.value });
  }
  return list;
}

describe.each(["stored", "memory"] as const)("with working states %s", (working) => {
  test.each(scenarios)("$group: $name", async ({ steps, main = "main" }) => {
    const play = new Play(working, main);
    await play.open();
    for (const step of steps) expect({ ...step, result: await play.take(step) }).toEqual(step);
    expect(await play.verify()).toMatchObject({ ok: true });
  });
});
