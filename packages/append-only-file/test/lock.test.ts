import { describe, expect, test } from "vitest";

import {
  decodeLockOwner,
  encodeLockOwner,
  type LockHost,
  type LockOwner,
  takeLock,
  takeLockNow,
} from "../src/lock.ts";
import { codeOf } from "./file-system-contract.ts";

const LOCK = "x_lock";

function owner(index: number): LockOwner {
  return { token: index.toString(16).padStart(16, "0"), pid: 100 + index, start: "7", boot: "b" };
}

/** Files of a folder and the processes that live. */
class World implements LockHost {
  readonly files: Map<string, string>;
  readonly alive: Set<string>;

  constructor(files: Iterable<readonly [string, string]> = [], alive: Iterable<string> = []) {
    this.files = new Map(files);
    this.alive = new Set(alive);
  }

  create(name: string, text: string): boolean {
    if (this.files.has(name)) return false;
    this.files.set(name, text);
    return true;
  }

  link(from: string, to: string): "linked" | "taken" | "unsupported" {
    const text = this.files.get(from);
    if (text === undefined) throw new Error(`${from} is gone`);
    return this.create(to, text) ? "linked" : "taken";
  }

  read(name: string): string | undefined {
    return this.files.get(name);
  }

  remove(name: string): void {
    this.files.delete(name);
  }

  list(): string[] {
    return [...this.files.keys()];
  }

  isAlive({ pid }: LockOwner): boolean {
    return this.alive.has(String(pid));
  }

  pause(): void {
    // Others move between the steps.
  }

  born(one: LockOwner): this {
    this.alive.add(String(one.pid));
    return this;
  }
}

function worldWithoutLinks(files: Iterable<readonly [string, string]> = []): World {
  const world = new World(files);
  world.link = () => "unsupported";
  return world;
}

describe("alone", () => {
  test("a free lock is taken, names its owner, and leaves nothing when given back", () => {
    const world = new World().born(owner(1));
    const release = takeLockNow(world, LOCK, owner(1));
    expect([...world.files]).toEqual([[LOCK, encodeLockOwner(owner(1))]]);
    release();
    release();
    expect(world.files.size).toBe(0);
  });

  test("a living owner is named in the error and keeps the lock", () => {
    const world = new World().born(owner(1)).born(owner(2));
    takeLockNow(world, LOCK, owner(1));
    expect(codeOf(() => takeLockNow(world, LOCK, owner(2)))).toBe("AOF_LOCKED");
    expect(() => takeLockNow(world, LOCK, owner(2))).toThrow(/process 101/);
    expect([...world.files]).toEqual([[LOCK, encodeLockOwner(owner(1))]]);
  });

  test("a dead owner's lock is taken over, and its leftovers are removed", () => {
    const dead = encodeLockOwner(owner(9));
    const world = new World([
      [LOCK, dead],
      [`${LOCK}.own.109.7.${owner(9).token}`, dead],
      [`${LOCK}.own.108.7.${owner(8).token}`, ""],
      [`${LOCK}.break.${owner(5).token}`, dead],
      ["other", "kept"],
      [`${LOCK}.mine`, "kept"],
    ]).born(owner(1));
    takeLockNow(world, LOCK, owner(1));
    expect([...world.files.keys()].toSorted()).toEqual([LOCK, `${LOCK}.mine`, "other"].toSorted());
    expect(world.files.get(LOCK)).toBe(encodeLockOwner(owner(1)));
  });

  test("breakers that died three deep are broken, a fourth needs a hand", () => {
    const files: [string, string][] = [[LOCK, encodeLockOwner(owner(10))]];
    let name = LOCK;
    for (const dead of [11, 12, 13, 14]) {
      name = `${name}.break.${owner(dead - 1).token}`;
      files.push([name, encodeLockOwner(owner(dead))]);
    }
    const shallow = new World(files.slice(0, 4)).born(owner(1));
    takeLockNow(shallow, LOCK, owner(1));
    expect([...shallow.files.keys()]).toEqual([LOCK]);
    const deep = new World(files).born(owner(1));
    expect(codeOf(() => takeLockNow(deep, LOCK, owner(1)))).toBe("AOF_LOCKED");
    expect([...deep.files]).toEqual(files);
  });

  test("a lock that lost its bytes in a power cut is taken over", () => {
    for (const text of ["", "\0\0\0\0", encodeLockOwner(owner(9)).slice(0, 20)]) {
      const world = new World([[LOCK, text]]).born(owner(1));
      takeLockNow(world, LOCK, owner(1));
      expect([...world.files]).toEqual([[LOCK, encodeLockOwner(owner(1))]]);
    }
  });

  test("giving back leaves a lock alone that somebody else took after it was removed by hand", () => {
    const world = new World().born(owner(1)).born(owner(2));
    const release = takeLockNow(world, LOCK, owner(1));
    world.remove(LOCK);
    takeLockNow(world, LOCK, owner(2));
    release();
    expect(world.files.get(LOCK)).toBe(encodeLockOwner(owner(2)));
  });

  test("giving back never throws", () => {
    const world = new World().born(owner(1));
    const release = takeLockNow(world, LOCK, owner(1));
    world.remove = () => {
      throw new Error("disk");
    };
    expect(release).not.toThrow();
  });

  test("whoever keeps changing the lock does not keep a caller for ever", () => {
    const world = new World().born(owner(1));
    world.link = () => "taken";
    let pauses = 0;
    world.pause = () => pauses++;
    expect(codeOf(() => takeLockNow(world, LOCK, owner(1)))).toBe("AOF_LOCKED");
    expect(pauses).toBeGreaterThan(100);
  });

  test("without hard links a free lock and a dead owner's lock are taken all the same", () => {
    const free = worldWithoutLinks().born(owner(1));
    takeLockNow(free, LOCK, owner(1))();
    expect(free.files.size).toBe(0);
    const dead = worldWithoutLinks([[LOCK, encodeLockOwner(owner(9))]]).born(owner(1));
    takeLockNow(dead, LOCK, owner(1));
    expect([...dead.files]).toEqual([[LOCK, encodeLockOwner(owner(1))]]);
  });

  test("without hard links an unreadable lock may be one that is just being written", () => {
    const world = worldWithoutLinks([[LOCK, ""]]).born(owner(1));
    expect(codeOf(() => takeLockNow(world, LOCK, owner(1)))).toBe("AOF_LOCKED");
    expect([...world.files]).toEqual([[LOCK, ""]]);
  });
});

describe("the text of a lock", () => {
  test("is read back, and nothing else is", () => {
    const text = encodeLockOwner(owner(3));
    expect(text).toBe('{"token":"0000000000000003","pid":103,"start":"7","boot":"b"}');
    expect(decodeLockOwner(text)).toEqual(owner(3));
    const unknown = { ...owner(3), start: "", boot: "" };
    expect(decodeLockOwner(encodeLockOwner(unknown))).toEqual(unknown);
    const wrong = [
      "",
      "null",
      "[]",
      "7",
      `${text} `,
      text.slice(0, -1),
      text.replace("103", "0"),
      text.replace("103", "1.5"),
      text.replace("103", '"103"'),
      text.replace("3", "g"),
      text.replace('"7"', '"x"'),
      text.replace('"b"', '"/"'),
      text.replace("{", '{"more":1,'),
      text.replace('"pid"', '"__proto__"'),
    ];
    for (const bad of wrong) expect(decodeLockOwner(bad)).toBeUndefined();
  });
});

describe("every order of steps", () => {
  test("of three callers over a dead owner's lock, two of them killed, has one owner", () => {
    const { states, double, stuck } = explore({ callers: 3, kills: 2, start: DEAD });
    expect({ double, stuck }).toEqual({ double: 0, stuck: 0 });
    expect(states).toBeGreaterThan(10_000);
  });

  test("of three callers over a free lock has one owner", () => {
    expect(explore({ callers: 3, kills: 1, start: [] })).toMatchObject({ double: 0, stuck: 0 });
  });

  test("of two callers over a lock that lost its bytes has one owner", () => {
    const found = explore({ callers: 2, kills: 1, start: [[LOCK, ""]] });
    expect(found).toMatchObject({ double: 0, stuck: 0 });
  });

  test("of two callers over a dead breaker has one owner", () => {
    const breaker = `${LOCK}.break.${owner(9).token}`;
    const start: Files = [...DEAD, [breaker, encodeLockOwner(owner(8))]];
    expect(explore({ callers: 2, kills: 2, start })).toMatchObject({ double: 0, stuck: 0 });
  });

  test("of two callers without hard links has one owner", () => {
    const found = explore({ callers: 2, kills: 2, start: DEAD, weak: true });
    expect(found).toMatchObject({ double: 0, stuck: 0 });
  });

  test("is looked at closely enough to catch a breaker that does not look again", () => {
    const { double } = explore({ callers: 3, kills: 0, start: DEAD, hasty: true });
    expect(double).toBeGreaterThan(0);
  });
});

type Files = readonly (readonly [name: string, text: string])[];

const DEAD: Files = [[LOCK, encodeLockOwner(owner(9))]];

interface Search {
  readonly callers: number;
  readonly kills: number;
  readonly start: Files;
  /** Hard links do not exist. */
  readonly weak?: boolean;
  /** Breakers believe what they read first. */
  readonly hasty?: boolean;
}

interface Found {
  states: number;
  /** States with two living owners, or with an owner whom the lock does not name. */
  double: number;
  /** States from which, once everybody is dead, a newcomer cannot take the lock or leaves rubbish. */
  stuck: number;
}

/**
 * Visits every reachable state, up to the first with two owners, of callers that take turns, step
 * by step, and die where they are. Going to a state means running again from the start: suspended calls cannot be
 * copied.
 */
function explore(search: Search): Found {
  const found: Found = { states: 0, double: 0, stuck: 0 };
  const seen = new Set<string>();
  const open: number[][] = [[]];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const scene = new Scene(search);
    for (const choice of path) scene.act(choice);
    const key = scene.key();
    if (seen.has(key)) continue;
    seen.add(key);
    found.states++;
    if (!scene.hasOneOwner()) found.double++;
    if (found.double > 0) break;
    if (!scene.canGoOn()) found.stuck++;
    for (const choice of scene.choices()) open.push([...path, choice]);
  }
  return found;
}

class Scene {
  readonly #world: World;
  readonly #callers: Caller[] = [];
  #kills: number;

  constructor({ callers, kills, start, weak = false, hasty = false }: Search) {
    this.#world = weak ? worldWithoutLinks(start) : new World(start);
    this.#kills = kills;
    for (let i = 1; i <= callers; i++) {
      this.#world.born(owner(i));
      const host = hasty ? believing(this.#world) : this.#world;
      this.#callers.push({ self: owner(i), steps: takeLock(host, LOCK, owner(i)), at: "start" });
    }
  }

  /** Choice `2 i` lets caller i do its next step, `2 i + 1` kills it. */
  choices(): number[] {
    return this.#callers.flatMap(({ at }, i) => {
      if (at === "ended" || at === "dead") return [];
      return this.#kills > 0 ? [2 * i, 2 * i + 1] : [2 * i];
    });
  }

  act(choice: number): void {
    const caller = this.#callers[choice >>> 1];
    if (caller === undefined) return;
    if (choice % 2 === 1) {
      this.#kills--;
      this.#world.alive.delete(String(caller.self.pid));
      caller.at = "dead";
    } else if (caller.at === "holding") {
      caller.release?.();
      caller.at = "ended";
    } else {
      step(caller);
    }
  }

  key(): string {
    const files = [...this.#world.files].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([this.#kills, files, this.#callers.map(({ at }) => at)]);
  }

  hasOneOwner(): boolean {
    const holding = this.#callers.filter(({ at }) => at === "holding");
    const named = decodeLockOwner(this.#world.files.get(LOCK) ?? "")?.token;
    return holding.length <= 1 && holding.every(({ self }) => self.token === named);
  }

  canGoOn(): boolean {
    const after = new World(this.#world.files).born(owner(50));
    try {
      takeLockNow(after, LOCK, owner(50));
    } catch {
      return false;
    }
    return after.files.size === 1;
  }
}

interface Caller {
  readonly self: LockOwner;
  readonly steps: Generator<string, () => void>;
  release?: () => void;
  /** The step it will do next. */
  at: string;
}

function step(caller: Caller): void {
  try {
    const { done, value } = caller.steps.next();
    if (done === true) caller.release = value;
    caller.at = done === true ? "holding" : value;
  } catch (error) {
    expect((error as { readonly code?: unknown }).code).toBe("AOF_LOCKED");
    caller.at = "ended";
  }
}

/** The same files, seen by somebody who reads the lock once and remembers it. */
function believing(world: World): LockHost {
  let first: string | undefined;
  const host: LockHost = Object.create(world);
  host.read = (name) => {
    if (name !== LOCK) return world.read(name);
    first ??= world.read(name);
    return first;
  };
  return host;
}
