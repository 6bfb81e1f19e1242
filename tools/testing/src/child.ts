import { type ChildProcess, spawn } from "node:child_process";

/** How a child process ended. */
export interface ChildEnd {
  /** Exit code, or `undefined` when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** Everything it wrote to standard output and standard error. */
  readonly output: string;
  readonly errors: string;
}

export interface ChildOptions {
  /** What runs the arguments; default: this Node.js. */
  readonly command?: string;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with each piece of standard output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** A child process that a test started and ends. */
export class Child {
  readonly #process: ChildProcess;
  #output = "";
  #errors = "";
  /** Settles when the process has ended and all it wrote was read; never rejects. */
  readonly ended: Promise<ChildEnd>;

  private constructor(process: ChildProcess, onOutput: (text: string) => void) {
    this.#process = process;
    process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      onOutput(text);
    });
    process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.ended = new Promise((resolve) => {
      process.once("error", (error) => resolve(this.#end(undefined, error.message)));
      process.once("close", (code, signal) =>
        resolve(this.#end(code ?? undefined, signal ?? undefined)),
      );
    });
  }

  static start(args: readonly string[], options: ChildOptions = {}): Child {
    const child = spawn(options.command ?? process.execPath, [...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Child(child, options.onOutput ?? (() => undefined));
  }

  /** Whether it has not ended, as far as is known. */
  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Ends it at once, as a crash would. One that has ended already stays ended. */
  async kill(): Promise<ChildEnd> {
    this.#process.kill("SIGKILL");
    return this.ended;
  }

  #end(code: number | undefined, signal: string | undefined): ChildEnd {
    return { code, signal, output: this.#output, errors: this.#errors };
  }
}

/** Waits without keeping the processor busy. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
