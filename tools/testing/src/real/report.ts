/**
 * What a child process tells its parent about the history it writes: one line per event, handed to the system before the
 * next step, so that a kill loses none of it.
 *
 * For children, which start faster without the rest of this package: `@x/testing/report`.
 */
import { writeSync } from "node:fs";

/** The lines of one child. Digests contain no line breaks. */
export class HistoryReport {
  #last = 0;

  /** The store is open and holds this. */
  opened(digest: string): void {
    say(`opened ${digest}`);
  }

  /** A commit is about to be called; afterwards the store may hold this. Returns the commit's number. */
  started(digest: string): number {
    this.#last++;
    say(`started ${this.#last} ${digest}`);
    return this.#last;
  }

  /** The commit's promise resolved, without a promise of durability. */
  acknowledged(commit: number): void {
    say(`acknowledged ${commit}`);
  }

  /** The commit, and all before it, are durable. */
  durable(commit: number): void {
    say(`durable ${commit}`);
  }

  /** The commit was rejected, and the store goes on without it. */
  withdrawn(commit: number): void {
    say(`withdrawn ${commit}`);
  }

  /** The store reported an error: its code, and the code of the system's error it came from. */
  failed(error: unknown): void {
    say(`failed ${codeOf(error) ?? "none"} ${systemCodeOf(error) ?? "none"}`);
  }

  /** Anything else the parent's `onLine` understands. */
  say(line: string): void {
    say(line);
  }
}

function say(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      // The pipe is full: the parent is slower than the child.
      if (codeOf(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The code of the innermost cause. */
function systemCodeOf(error: unknown): string | undefined {
  let code: string | undefined;
  for (let inner = error; inner instanceof Error; inner = inner.cause) code = codeOf(inner) ?? code;
  return code;
}
