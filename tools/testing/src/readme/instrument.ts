import { parseSync, transformSync } from "rolldown/utils";

/** Where the code of an example comes from and what stands in for its imports. */
export interface InstrumentOptions {
  /** Line of the first line of code in its file, counted from 1; appears in every message. */
  readonly line: number;
  /** URL of the module that holds `equal` and `throws`. */
  readonly checkUrl: string;
  /** What an import specifier stands for: a URL, or a specifier that Node resolves anywhere. */
  readonly resolve: (specifier: string) => string;
}

/** A stretch of code and what replaces it. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/**
 * Turns an example into a JavaScript module that fails when one of its promises does not hold.
 *
 * A statement followed on its last line by `// => value` is a promise, where the value is any expression. The statement
 * is an expression (or `console.log` of one), or declares one variable. After `// => throws CODE` the expression must
 * throw an error with that code or name.
 *
 * @param code - TypeScript
 * @returns the module, with an inline source map; and how many promises it holds
 * @throws Error if the code does not parse, or a promise does not follow such a statement
 */
export function instrument(
  code: string,
  options: InstrumentOptions,
): { module: string; promiseCount: number } {
  const lineOf = (offset: number): number =>
    options.line + code.slice(0, offset).split("\n").length - 1;
  const parsed = parseSync("example.ts", code, { lang: "ts", sourceType: "module" });
  const [failure] = parsed.errors;
  if (failure !== undefined) {
    throw new Error(`the example on line ${options.line} does not parse: ${failure.message}`);
  }
  const statements = collectStatements(parsed.program);
  const edits: Edit[] = [];
  let promiseCount = 0;
  for (const comment of parsed.comments) {
    const [, promise] = /^ => (.*)$/.exec(comment.value) ?? [];
    if (comment.type !== "Line" || promise === undefined) continue;
    const line = lineOf(comment.start);
    const statement = statements.find(
      ({ end }) => end <= comment.start && /^[ \t]*$/.test(code.slice(end, comment.start)),
    );
    const edit = statement && editOf(code, statement, promise.trim(), line);
    if (edit === undefined) throw new Error(`line ${line}: no expression before // =>`);
    edits.push(edit);
    promiseCount++;
  }
  for (const { start, end } of requestsOf(code)) {
    edits.push({
      start,
      end,
      text: JSON.stringify(options.resolve(code.slice(start + 1, end - 1))),
    });
  }
  return { module: strip(apply(code, edits), options), promiseCount };
}

/**
 * What a module imports, statically or dynamically, as it is written there.
 *
 * @param code - TypeScript
 */
export function importsOf(code: string): string[] {
  return requestsOf(code).map(({ start, end }) => code.slice(start + 1, end - 1));
}

/** The literals, quotes included, that name modules. A dynamic import of anything but a literal is left out. */
function requestsOf(code: string): { start: number; end: number }[] {
  const { module } = parseSync("example.ts", code, { lang: "ts", sourceType: "module" });
  return [
    ...module.staticImports.map((entry) => entry.moduleRequest),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.moduleRequest ?? []),
    ),
    ...module.dynamicImports.map((entry) => entry.moduleRequest),
  ].filter(({ start, end }) => /^(["']).*\1$/.test(code.slice(start, end)));
}

/** Every statement at any depth, so that promises hold inside loops and functions too. */
function collectStatements(root: unknown): SyntaxNode[] {
  const statements: SyntaxNode[] = [];
  const pending: unknown[] = [root];
  while (pending.length > 0) {
    const node = pending.pop();
    if (typeof node !== "object" || node === null) continue;
    if (isNode(node) && /^(?:ExpressionStatement|VariableDeclaration)$/.test(node.type)) {
      statements.push(node);
    }
    for (const child of Object.values(node)) pending.push(child);
  }
  return statements;
}

function isNode(value: object): value is SyntaxNode {
  return "type" in value && "start" in value && "end" in value && typeof value.type === "string";
}

function editOf(
  code: string,
  statement: SyntaxNode,
  promise: string,
  line: number,
): Edit | undefined {
  const [, thrown] = /^throws (\w+)$/.exec(promise) ?? [];
  const whole = { start: statement.start, end: statement.end };
  if (statement.type === "VariableDeclaration") {
    const declarations = statement["declarations"] as readonly { id: SyntaxNode }[];
    const [declared] = declarations;
    if (declared?.id.type !== "Identifier" || declarations.length !== 1) return undefined;
    if (thrown !== undefined) return undefined;
    const name = String(declared.id["name"]);
    const text = `${code.slice(whole.start, whole.end)} ${CHECK}.equal(${line}, ${name}, (${promise}));`;
    return { ...whole, text };
  }
  const expression = loggedArgument(statement["expression"] as SyntaxNode);
  const text = code.slice(expression.start, expression.end);
  if (thrown !== undefined) {
    const run = `async () => (${text})`;
    return { ...whole, text: `await ${CHECK}.throws(${line}, ${run}, ${JSON.stringify(thrown)});` };
  }
  return { ...whole, text: `${CHECK}.equal(${line}, (${text}), (${promise}));` };
}

/** The one argument of a call of `console.log`, or the expression itself. */
function loggedArgument(expression: SyntaxNode): SyntaxNode {
  if (expression.type !== "CallExpression") return expression;
  const callee = expression["callee"] as SyntaxNode;
  const call = expression["arguments"] as readonly SyntaxNode[];
  const { object, property } = callee as unknown as Record<string, { name?: string } | undefined>;
  const isLog = object?.name === "console" && property?.name === "log" && call.length === 1;
  return (isLog ? call[0] : undefined) ?? expression;
}

/** No example uses this name. */
const CHECK = "__readme";

function apply(code: string, edits: readonly Edit[]): string {
  let result = code;
  for (const { start, end, text } of edits.toSorted((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + text + result.slice(end);
  }
  return result;
}

/** Removes the types. Blank lines in front make the lines of the module those of the Markdown file. */
function strip(code: string, { line, checkUrl }: InstrumentOptions): string {
  const head = `import * as ${CHECK} from ${JSON.stringify(checkUrl)};${"\n".repeat(line - 1)}`;
  const stripped = transformSync(`line-${line}.ts`, head + code, { lang: "ts", sourcemap: true });
  const [failure] = stripped.errors;
  if (failure !== undefined) throw new Error(`the example on line ${line}: ${failure.message}`);
  const map = Buffer.from(JSON.stringify(stripped.map)).toString("base64");
  return `${stripped.code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`;
}
