import { type Target } from "./checkpoint.ts";
import { type Layer } from "./group-file.ts";
import { type BlobContent } from "./layout.ts";

/** What one commit call sealed. */
export interface SealedCommit {
  readonly meta: Uint8Array;
  /** Per append file; `undefined` when it did not change. */
  readonly layers: readonly (Layer | undefined)[];
  /** Per blob; empty when it did not change. */
  readonly deltas: readonly Uint8Array[];
  readonly contents: readonly (BlobContent | undefined)[];
  readonly sync: boolean;
  /** Whether some file goes back below what the commit before left. */
  readonly rewinds: boolean;
}

/** What one rewrite call asked for. */
export interface SealedRewrite {
  readonly meta: Uint8Array;
  /** Per append file: what writes its next content, `undefined` when it stays. */
  readonly files: readonly (Extract<Target["files"][number], { kind: "replaced" }> | undefined)[];
  readonly contents: readonly (BlobContent | undefined)[];
}

/** A call that waits for its turn. */
export type Call =
  | { readonly kind: "commit"; readonly commit: SealedCommit }
  | { readonly kind: "rewrite"; readonly rewrite: SealedRewrite }
  | { readonly kind: "checkpoint"; readonly clean: boolean }
  | { readonly kind: "sync" };

type Task = Call & {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Calls of a group in the order they were made, each settled exactly once.
 *
 * Invariant: a call waits, is acted on, or is settled; those acted on were made before all that wait.
 */
export class CallQueue {
  #waiting: Task[] = [];
  #acting: Task[] = [];
  /** Rewrites that are not settled. */
  #rewrites = 0;

  /** Adds a call; the promise is that of its caller. */
  add(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      if (call.kind === "rewrite") this.#rewrites++;
      this.#waiting.push({ ...call, resolve, reject });
    });
  }

  /** The call whose turn it is. */
  get head(): Call | undefined {
    return this.#waiting[0];
  }

  /** How many calls are being acted on. */
  get actingCount(): number {
    return this.#acting.length;
  }

  /** Whether a rewrite was called and is not settled. */
  get hasRewrite(): boolean {
    return this.#rewrites > 0;
  }

  /** Commits and rewrites that wait, in order. */
  get changes(): Extract<Call, { readonly kind: "commit" | "rewrite" }>[] {
    return this.#waiting.filter((task) => task.kind === "commit" || task.kind === "rewrite");
  }

  /** Begins to act on the call whose turn it is. */
  take(): void {
    const task = this.#waiting.shift();
    if (task !== undefined) this.#acting.push(task);
  }

  /** All calls acted on succeeded. */
  acknowledge(): void {
    for (const task of this.#settle(this.#acting)) task.resolve();
    this.#acting = [];
  }

  /** All calls acted on failed, and nothing else did. */
  refuse(error: unknown): void {
    for (const task of this.#settle(this.#acting)) task.reject(error);
    this.#acting = [];
  }

  /**
   * The commit or rewrite whose turn it is failed, and with it all that build on it.
   *
   * @param undo - undoes what they did in memory; when it throws, the calls stay acted on
   */
  refuseChanges(error: unknown, undo: (commits: readonly SealedCommit[]) => void): void {
    const earlier = this.#acting;
    const undone = this.#waiting.filter(
      (task) => task.kind === "commit" || task.kind === "rewrite",
    );
    this.#waiting = this.#waiting.filter(
      (task) => task.kind === "checkpoint" || task.kind === "sync",
    );
    this.#acting = [...earlier, ...undone];
    undo(undone.flatMap((task) => (task.kind === "commit" ? task.commit : [])));
    this.#acting = earlier;
    for (const task of this.#settle(undone)) task.reject(error);
  }

  /** Everything ends: calls acted on get `error`, those that wait get `later`. */
  refuseAll(error: unknown, later: unknown): void {
    this.refuse(error);
    for (const task of this.#settle(this.#waiting)) task.reject(later);
    this.#waiting = [];
  }

  #settle(tasks: readonly Task[]): readonly Task[] {
    for (const { kind } of tasks) if (kind === "rewrite") this.#rewrites--;
    return tasks;
  }
}
