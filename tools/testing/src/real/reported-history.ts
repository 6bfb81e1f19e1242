import { CommitLog, type Mark } from "../crash/subject.ts";

/** An error that a child's store reported. */
export interface ReportedError {
  readonly code: string;
  /** Code of the system's error behind it. */
  readonly cause: string;
}

/** What a child has said so far ({@link HistoryReport}). An unfinished last line counts as unsaid. */
export class ReportedHistory {
  readonly #log: CommitLog;
  readonly #states = new Map<number, number>();
  #rest = "";
  #commits = 0;
  #opened: string | undefined;
  readonly errors: ReportedError[] = [];
  /** Lines that are no events. */
  readonly other: string[] = [];

  /** @param initial - digest of the store before the child began */
  constructor(initial: string) {
    this.#log = new CommitLog(initial);
  }

  /** Digest of what the child found, once it said so. */
  get opened(): string | undefined {
    return this.#opened;
  }

  /** Commits that resolved. */
  get commits(): number {
    return this.#commits;
  }

  read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** What may be found now. */
  mark(): Mark {
    return this.#log.mark();
  }

  #line(line: string): void {
    const [event = "", first = "", ...rest] = line.split(" ");
    if (event === "opened") this.#opened = line.slice("opened ".length);
    else if (event === "started")
      this.#states.set(Number(first), this.#log.started(rest.join(" ")));
    else if (event === "acknowledged")
      this.#settle(first, (state) => this.#log.acknowledged(state));
    else if (event === "durable") this.#settle(first, (state) => this.#log.durable(state));
    else if (event === "withdrawn") this.#log.withdrawn(this.#state(first));
    else if (event === "failed") this.errors.push({ code: first, cause: rest.join(" ") });
    else this.other.push(line);
  }

  #settle(commit: string, settle: (state: number) => void): void {
    this.#commits++;
    settle(this.#state(commit));
  }

  #state(commit: string): number {
    const state = this.#states.get(Number(commit));
    if (state === undefined) throw new Error(`the child settled commit ${commit} before it began`);
    return state;
  }
}
