/**
 * A lock file for one writer, for systems where a process can die without giving it back.
 *
 * Invariants
 * 1. A lock file names its owner from the first moment: it is a hard link to a file that was complete before.
 * 2. A lock whose owner lives is removed by its owner only.
 * 3. A lock of a dead owner is removed only by who holds the break file named after that owner's token, and only after
 *    seeing that token in the lock file again. Tokens are never used twice, so a late breaker finds another token and
 *    leaves the new owner alone.
 * 4. A break file of a dead breaker is broken in the same way, a few levels deep.
 *
 * Format: FORMAT.md, "Lock file". Where hard links do not exist, the lock file is created empty and filled afterwards;
 * then a crash between the two leaves a lock that somebody has to remove by hand.
 */
import { AofError } from "./errors.ts";

/** Who holds a lock. */
export interface LockOwner {
  /** 16 hexadecimal digits, never used twice. */
  readonly token: string;
  readonly pid: number;
  /** When the process started, in the system's own terms; empty where that is unknown. */
  readonly start: string;
  /** Names the time since the machine was started; empty where that is unknown. */
  readonly boot: string;
}

/** What the lock asks of a system. Each call is one step that others may come before or after. */
export interface LockHost {
  /** Creates a file with this text; `false` when the name is taken. */
  create(name: string, text: string): boolean;
  /** Gives a file a second name. */
  link(from: string, to: string): "linked" | "taken" | "unsupported";
  /** The text of a file, `undefined` where there is none. */
  read(name: string): string | undefined;
  /** Removes a file; a missing one is no error. */
  remove(name: string): void;
  list(): string[];
  /** Whether the process still runs. The token is not looked at, nor an empty field. */
  isAlive(owner: LockOwner): boolean;
  /** Gives others a moment. */
  pause(): void;
}

/** Rounds before giving up while others keep taking and breaking the lock. */
const ROUNDS_MAX = 200;
/** Dead breakers of dead breakers are broken below this depth; it keeps names short enough for every file system. */
const LEVELS_MAX = 4;

/**
 * Takes the lock called `name`, step by step: each `next()` asks the host once, so that a test can let several callers
 * take turns. After the last step the lock is held; an abandoned one leaves what a killed process leaves.
 *
 * @yields before each step, what it is: with the host's files, all that the rest depends on but the count of rounds
 * @returns a function that gives the lock back, never throws and may be called again
 * @throws AofError `AOF_LOCKED` when somebody else holds it; what the host throws
 */
export function* takeLock(
  host: LockHost,
  name: string,
  self: LockOwner,
): Generator<string, () => void> {
  const claim: Claim = { host, self, own: ownName(name, self), weak: false };
  yield "create";
  if (!host.create(claim.own, encodeLockOwner(self))) {
    throw new AofError("AOF_IO", `token of lock ${name} is in use`);
  }
  try {
    yield* acquire(claim, name);
  } finally {
    quietly(() => host.remove(claim.own));
  }
  yield* sweep(host, name);
  return () => release(host, name, self.token);
}

/** Takes a lock without letting anybody in between its steps. Arguments and errors as for {@link takeLock}. */
export function takeLockNow(host: LockHost, name: string, self: LockOwner): () => void {
  const steps = takeLock(host, name, self);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** One line of JSON with the four fields in order. */
export function encodeLockOwner({ token, pid, start, boot }: LockOwner): string {
  return JSON.stringify({ token, pid, start, boot });
}

/** Reads {@link encodeLockOwner} back; `undefined` for anything that it would not have written. */
export function decodeLockOwner(text: string): LockOwner | undefined {
  const owner = parse(text);
  return owner !== undefined && isOwner(owner) && encodeLockOwner(owner) === text
    ? owner
    : undefined;
}

/** One caller's attempt. */
interface Claim {
  readonly host: LockHost;
  readonly self: LockOwner;
  /** The caller's private file, complete, to be linked. */
  readonly own: string;
  /** Whether hard links turned out not to exist here. */
  weak: boolean;
}

function* acquire(claim: Claim, name: string): Generator<string, void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (round > 0) claim.host.pause();
    yield "take";
    if (take(claim, name)) return;
    yield* breakIfDead(claim, name, 0);
  }
  throw new AofError("AOF_LOCKED", `${name} kept changing hands for ${ROUNDS_MAX} attempts`);
}

function take(claim: Claim, name: string): boolean {
  if (!claim.weak) {
    const outcome = claim.host.link(claim.own, name);
    if (outcome !== "unsupported") return outcome === "linked";
    claim.weak = true;
  }
  return claim.host.create(name, encodeLockOwner(claim.self));
}

/**
 * Removes a lock or break file whose owner is dead. At level 0 a living owner is an error, above it a reason to wait.
 *
 * @yields before each step
 */
function* breakIfDead(claim: Claim, name: string, level: number): Generator<string, void> {
  const { host } = claim;
  yield `read ${name}`;
  const text = host.read(name);
  if (text === undefined) return;
  const owner = decodeLockOwner(text);
  if (owner === undefined && claim.weak) throw locked(name, "by a process that is just taking it");
  yield `ask for ${owner?.token} of ${name}`;
  if (owner !== undefined && host.isAlive(owner)) {
    if (level === 0) throw locked(name, `by process ${owner.pid}`, owner);
    return;
  }
  if (level === LEVELS_MAX) throw locked(name, "by processes that all died while breaking it");
  // Linked files are complete: an unreadable one lost its bytes in a power cut, and its owner with them.
  const breaker = `${name}.break.${owner?.token ?? "unreadable"}`;
  yield `take ${breaker}`;
  if (!take(claim, breaker)) {
    yield* breakIfDead(claim, breaker, level + 1);
    return;
  }
  yield `look again before ${breaker}`;
  const again = host.read(name);
  const same = again !== undefined && decodeLockOwner(again)?.token === owner?.token;
  yield `${same ? "break" : "leave"} for ${breaker}`;
  if (same) host.remove(name);
  yield `end ${breaker}`;
  host.remove(breaker);
}

/**
 * Removes what dead processes left. Safe while the lock is held: break files other than the holder's own concern
 * tokens that are gone for good, and a private file is of use to its owner only.
 *
 * @yields before each step
 */
function* sweep(host: LockHost, name: string): Generator<string, void> {
  yield "list";
  const others = quietly(() => host.list()) ?? [];
  for (const other of others) {
    if (!other.startsWith(`${name}.`)) continue;
    yield `sweep ${other} of ${others.join()}`;
    quietly(() => {
      const owner = ownerOf(host, name, other);
      if (owner !== undefined && !host.isAlive(owner)) host.remove(other);
    });
  }
}

/** Tidying: what fails now is done by the next owner. */
function quietly<T>(tidy: () => T): T | undefined {
  try {
    return tidy();
  } catch {
    return undefined;
  }
}

function ownerOf(host: LockHost, name: string, other: string): LockOwner | undefined {
  const rest = other.slice(name.length);
  if (rest.startsWith(".break.")) return decodeLockOwner(host.read(other) ?? "");
  // The text may be missing when the owner died early; the name says enough.
  const [, pid, start, token] = /^\.own\.(\d{1,10})\.(\d{0,24})\.([0-9a-f]{16})$/.exec(rest) ?? [];
  if (pid === undefined || start === undefined || token === undefined) return undefined;
  return { token, pid: Number(pid), start, boot: "" };
}

function ownName(name: string, { pid, start, token }: LockOwner): string {
  return `${name}.own.${pid}.${start}.${token}`;
}

function release(host: LockHost, name: string, token: string): void {
  // What stays behind here is broken once this process has ended.
  quietly(() => {
    // Somebody may have removed it by hand, and somebody else taken it.
    if (decodeLockOwner(host.read(name) ?? "")?.token === token) host.remove(name);
  });
}

function locked(name: string, by: string, cause?: LockOwner): AofError {
  return new AofError("AOF_LOCKED", `${name} is held ${by}`, cause === undefined ? {} : { cause });
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isOwner(value: Record<string, unknown>): value is Record<string, unknown> & LockOwner {
  const { token, pid, start, boot } = value;
  return (
    typeof token === "string" &&
    /^[0-9a-f]{16}$/.test(token) &&
    typeof pid === "number" &&
    Number.isSafeInteger(pid) &&
    pid > 0 &&
    typeof start === "string" &&
    /^\d{0,24}$/.test(start) &&
    typeof boot === "string" &&
    /^[0-9A-Za-z-]{0,64}$/.test(boot)
  );
}
