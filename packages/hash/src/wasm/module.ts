import { type Code, i32, unsigned, type ValueType } from "./instructions.ts";

/** A function under construction: parameters, then locals, then instructions in the order in which they are added. */
export class FunctionBuilder {
  readonly parameters: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  readonly #body: number[] = [];

  /** @param parameters - types; the parameters are locals 0, 1, … */
  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters;
  }

  /** Adds instructions that leave nothing on the stack. */
  add(code: Code): void {
    append(code, this.#body);
  }

  /** The parameters as locals. */
  get inputs(): Local[] {
    return this.parameters.map((_, i) => new Local(i));
  }

  /** A new local, zero at first. */
  local(type: ValueType): Local {
    this.#locals.push(type);
    return new Local(this.parameters.length + this.#locals.length - 1);
  }

  /** `count` new locals of one type. */
  locals(type: ValueType, count: number): Local[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** Runs `body`, which advances `counter`, once, and again while `counter` is below `end`. */
  repeatBelow(counter: Local, end: Code, body: () => void): void {
    this.add([0x03, 0x40]);
    body();
    this.add([i32.lessThan(counter.get, end), 0x0d, 0, 0x0b]);
  }

  /** Runs `body` if `condition` is not zero. */
  when(condition: Code, body: () => void): void {
    this.add([condition, 0x04, 0x40]);
    body();
    this.add([0x0b]);
  }

  /** The function as it stands in the code section. */
  encode(): Code {
    // One group per local; the format would let neighbours of one type share a group.
    const groups = this.#locals.map((type) => [1, type]);
    return sized([list(groups), this.#body, 0x0b]);
  }
}

/** A local of a function. */
export class Local {
  /** Reads it. */
  readonly get: Code;
  /** Writes what is on top of the stack. */
  readonly pop: Code;

  constructor(index: number) {
    this.get = [0x20, ...unsigned(index)];
    this.pop = [0x21, ...unsigned(index)];
  }

  /** Writes it. */
  set(value: Code): Code {
    return [value, this.pop];
  }

  /** Adds a constant to a 32-bit local. */
  advance(step: number): Code {
    return this.set(i32.add(this.get, i32.const(step)));
  }
}

/** Calls the function at `index` of the module. */
export function call(index: number, ...parameters: readonly Code[]): Code {
  return [parameters, 0x10, unsigned(index)];
}

/**
 * Encodes a module that imports one memory, `memory` of `arena`, and whose functions return nothing.
 *
 * @param functions - all functions, fewer than 128; a call names one by its index
 * @param exported - index of each exported function, by its name
 */
export function encodeModule(
  functions: readonly FunctionBuilder[],
  exported: Readonly<Record<string, number>>,
): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, list(parameters), 0]);
  const exports = Object.entries(exported).map(([name, index]) => [text(name), 0, index]);
  const bytes: number[] = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  append(section(1, list(types)), bytes);
  // A memory of one page or more.
  append(section(2, list([[text("arena"), text("memory"), 2, 0, 1]])), bytes);
  append(section(3, list(functions.map((_, i) => i))), bytes);
  append(section(7, list(exports)), bytes);
  append(section(10, list(functions.map((each) => each.encode()))), bytes);
  return Uint8Array.from(bytes);
}

/** Appends the bytes of `code`. */
function append(code: Code, bytes: number[]): void {
  for (const part of code) {
    if (typeof part === "number") bytes.push(part);
    else append(part, bytes);
  }
}

function section(id: number, content: Code): Code {
  return [id, sized(content)];
}

/** A vector of the binary format: how many items, then the items. */
function list(items: Code): Code {
  return [unsigned(items.length), items];
}

function sized(content: Code): Code {
  const bytes: number[] = [];
  append(content, bytes);
  return list(bytes);
}

/** ASCII. */
function text(value: string): Code {
  return list(Array.from(value, (character) => character.charCodeAt(0)));
}
