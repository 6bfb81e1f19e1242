import { type Store } from "@x/store";
import {
  blame,
  type Conflict,
  type MapDifference,
  reflog,
  type Reflog,
  revert,
  tags,
  VerMap,
} from "@x/vermap";
import { json, utf8 } from "@x/vermap/codec";
import { renderGraph } from "@x/vermap/render";

/** What a setting may be. */
export type Setting = string | number | boolean | readonly string[];

/** Who changes something, and why. */
export interface Change {
  readonly author: string;
  readonly message: string;
}

/** Where a setting is from. */
export interface Origin {
  readonly setting: Setting;
  readonly author: string | undefined;
  readonly message: string | undefined;
}

/**
 * Settings that are live on the main branch and are changed by review: somebody proposes changes on a branch, everybody sees
 * what they would do and what they collide with, and only then they are merged.
 */
export class ConfigService {
  readonly #map: VerMap<string, Setting>;
  readonly #lost: Reflog;

  private constructor(map: VerMap<string, Setting>) {
    this.#map = map;
    this.#lost = reflog(map);
  }

  static async open(store: Store): Promise<ConfigService> {
    return new ConfigService(
      await VerMap.open(store, { key: utf8, value: json<Setting>(), monotoneTime: true }),
    );
  }

  /** What is live. */
  get(name: string): Promise<Setting | undefined> {
    return this.#map.main.get(name);
  }

  /** Begins a review with some changes; `null` removes a setting. Again: adds to it. */
  async propose(
    review: string,
    settings: Readonly<Record<string, Setting | null>>,
    change: Change,
  ): Promise<void> {
    const branch =
      this.#map.branchId(review) === undefined
        ? await this.#map.createBranch(review, "main")
        : this.#map.branch(review);
    await branch.update((transaction) => {
      for (const [name, setting] of Object.entries(settings)) {
        if (setting === null) transaction.delete(name);
        else transaction.set(name, setting);
      }
    });
    await branch.commit({ ...change, skipEmpty: true });
  }

  /** What the review has changed since it left the main branch. */
  async changes(review: string): Promise<MapDifference<string, Setting>[]> {
    const [live, proposed] = [this.#map.main.head ?? 0, this.#map.branch(review).head ?? 0];
    const base = await this.#map.forkPoint(live, proposed);
    return listOf(this.#map.diff(base ?? { head: "main" }, { head: review }));
  }

  /** Settings that were changed on the main branch as well, and otherwise. */
  async conflicts(review: string): Promise<readonly Conflict<string, Setting>[]> {
    return (await this.#map.previewMerge(review, "main")).conflicts;
  }

  /**
   * Makes a review live and ends it. Where it is in conflict, `decide` says which setting holds; without it the review is
   * refused, and nothing changes.
   */
  async approve(
    review: string,
    change: Change,
    decide?: (conflict: Conflict<string, Setting>) => Setting,
  ): Promise<number> {
    const { commit } = await this.#map.merge(review, "main", {
      ...change,
      strategy: decide === undefined ? "fail" : (conflict) => ({ value: decide(conflict) }),
    });
    await this.#map.deleteBranch(review);
    return commit;
  }

  /** Gives the live settings a name, to come back to. */
  async release(name: string): Promise<void> {
    await tags(this.#map).set(name, this.#map.main.head ?? 0);
  }

  /** What would have to change to be where a release was. */
  async since(release: string): Promise<MapDifference<string, Setting>[]> {
    return listOf(this.#map.diff({ tag: release }, { head: "main" }));
  }

  /** Takes back one approved review, and leaves what came after. */
  async takeBack(commit: number, change: Change): Promise<number> {
    return (await revert(this.#map, "main", commit, change)).commit;
  }

  /** Who gave a setting the value that is live. */
  async origin(name: string): Promise<Origin | undefined> {
    const [entry] = await blame(this.#map, { head: "main" }, { gte: name, lte: name });
    if (entry === undefined) return undefined;
    return {
      setting: entry.value,
      author: entry.commit?.author,
      message: entry.commit?.message,
    };
  }

  /** All of it, to look at. */
  graph(format: "text" | "svg"): Promise<string> {
    return renderGraph(this.#map, { format, style: "box", title: "Configuration" });
  }

  /** Reviews that were deleted within the last thirty days and could be brought back. */
  async deletedReviews(): Promise<string[]> {
    const entries = await listOf(this.#lost.entries());
    return entries.map(({ branchName }) => branchName);
  }

  close(): Promise<void> {
    return this.#map.close();
  }
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
