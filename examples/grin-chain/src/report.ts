import { styleText } from "node:util";

/** One thing that had to hold, and what it came to. */
export interface Finding {
  readonly step: string;
  readonly held: boolean;
  readonly summary: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly milliseconds: number;
}

/** Tells a person, or collects for a machine. */
export class Report {
  readonly findings: Finding[] = [];
  readonly #quiet: boolean;

  constructor(options: { readonly quiet: boolean }) {
    this.#quiet = options.quiet;
  }

  get held(): boolean {
    return this.findings.every((finding) => finding.held);
  }

  heading(text: string): void {
    if (!this.#quiet) process.stdout.write(`${paint("bold", text)}\n\n`);
  }

  /** Runs one step, prints its line, and remembers it. What a step throws fails it and ends the demo. */
  async step(
    name: string,
    run: () => Promise<{
      held: boolean;
      summary: string;
      details?: readonly string[];
      facts: Record<string, unknown>;
    }>,
  ): Promise<void> {
    const begin = performance.now();
    const { held, summary, facts, details = [] } = await run();
    const milliseconds = Math.round(performance.now() - begin);
    this.findings.push({ step: name, held, summary, facts, milliseconds });
    if (this.#quiet) return;
    this.#clearLine();
    const mark = held ? paint("green", "✓") : paint("red", "✗");
    const time = paint("dim", `${milliseconds} ms`);
    process.stdout.write(`${mark} ${paint("bold", name.padEnd(10))} ${summary}  ${time}\n`);
    for (const line of details) process.stdout.write(`  ${" ".repeat(10)} ${line}\n`);
  }

  /** A bar on a terminal; nothing elsewhere. */
  progress(name: string, done: number, total: number): void {
    if (this.#quiet || !process.stdout.isTTY) return;
    const filled = Math.round((done / total) * 30);
    const bar = `${"█".repeat(filled)}${"░".repeat(30 - filled)}`;
    process.stdout.write(`\r  ${name.padEnd(10)} ${bar} ${done} of ${total}`);
  }

  #clearLine(): void {
    if (process.stdout.isTTY) process.stdout.write(`\r${" ".repeat(70)}\r`);
  }
}

function paint(style: "bold" | "green" | "red" | "dim", text: string): string {
  return process.stdout.isTTY && process.env["NO_COLOR"] === undefined
    ? styleText(style, text)
    : text;
}
