// Writes one random history into a group and reports it line by line.
// Arguments: folder, seed, number of commits, and a manner: `only grows`, `exhausts descriptors`, or a mistake to make.
import { openSync } from "node:fs";

import { HistoryReport } from "@x/testing/report";

import { digestOf, isDocumented, openKit, sorted, toggle } from "./group-kit.mjs";

/** Bytes that a file may hold before it is rewound, so that digests stay cheap. */
const FILE_BYTES_MAX = 12_000;

class History {
  #report = new HistoryReport();
  #folder;
  #manner;
  #random;
  #group;
  #state;
  #waiting = [];
  #commits = 0;

  constructor(folder, seed, manner) {
    this.#folder = folder;
    this.#manner = manner;
    this.#random = seed >>> 0;
  }

  async live(commitsMax) {
    try {
      await this.#write(commitsMax);
    } catch (error) {
      // Any other ends the process with its stack.
      if (!isDocumented(error)) throw error;
      this.#report.failed(error);
    }
    await Promise.allSettled(this.#waiting);
    try {
      await this.#group?.close();
    } catch (error) {
      this.#report.failed(error);
    }
  }

  async #write(commitsMax) {
    await this.#open();
    this.#report.opened(digestOf(this.#state));
    if (this.#manner === "exhausts descriptors") exhaust();
    while (this.#commits < commitsMax) {
      await this.#turn();
      // A commit that nobody waited for was refused: what came later would build on it.
      if (this.#group.sequence !== this.#state.sequence) break;
    }
    await this.#settled();
  }

  async #open() {
    const { group, state } = await openKit(this.#folder, { mistake: this.#manner });
    this.#group = group;
    this.#state = state;
  }

  async #turn() {
    const dice = this.#below(100);
    if (dice < 90) await this.#commit();
    else if (dice < 93) await this.#durably((group) => group.sync());
    else if (dice < 95) await this.#durably((group) => group.checkpoint());
    else if (dice < 97) await this.#rewrite();
    else await this.#reopen();
  }

  async #commit() {
    const before = this.#state;
    const next = { ...before, files: [...before.files], set: before.set };
    for (let changes = this.#below(4); changes > 0; changes--) this.#change(next);
    const added = next.set.filter((value) => !before.set.includes(value));
    const removed = before.set.filter((value) => !next.set.includes(value));
    const delta = Uint8Array.from([...added, ...removed]);
    const content = () => Uint8Array.from(next.set);
    const sync = this.#below(2) === 0;
    const blobs = [delta.length === 0 ? undefined : { delta, content }];
    const call = (group) => group.commit({ meta: next.meta, blobs, sync });
    const promise = this.#call(next, sync, call);
    if (this.#below(3) > 0) await promise;
    if (this.#waiting.length > 8) await this.#settled();
  }

  #change(next) {
    const index = this.#below(2);
    const file = next.files[index];
    const step = index === 0 ? 8 : 1;
    const dice = this.#below(10);
    const full = file.length > FILE_BYTES_MAX;
    if ((full || dice < 2) && this.#manner !== "only grows") {
      // Mostly a little, now and then nearly everything.
      const most = Math.floor(file.length / step / (full ? 1 : 8));
      const size = file.length - (file.length % step) - step * this.#below(most + 1);
      this.#group.files[index].rewind(size);
      next.files[index] = file.slice(0, size);
    } else if (dice < 8) {
      const length = step * (1 + this.#below(dice === 7 ? 2000 / step : 100 / step));
      const bytes = Uint8Array.from({ length }, () => this.#below(256));
      this.#group.files[index].append(bytes);
      next.files[index] = joined(file, bytes);
    } else {
      const set = new Set(next.set);
      toggle(set, this.#below(200));
      next.set = sorted(set);
    }
  }

  async #rewrite() {
    await this.#settled();
    const keep = [];
    const [file, other] = this.#state.files;
    for (let at = 0; at < file.length; at += 8) if (this.#below(4) > 0) keep.push([at, at + 8]);
    const kept = joined(...keep.map(([begin, end]) => file.slice(begin, end)));
    const next = { ...this.#state, files: [kept, other] };
    await this.#call(next, true, (group) =>
      group.rewrite({ files: [{ keep }, undefined], blobs: [undefined], meta: next.meta }),
    );
  }

  /** Announces the state the call will leave, makes the call, and tells how it went. */
  #call(next, sync, call) {
    next.sequence = this.#state.sequence + 1;
    next.meta = Uint8Array.of(this.#below(256), this.#below(256));
    const commit = this.#report.started(digestOf(next));
    const promise = call(this.#group).then(() => this.#tell(commit, sync));
    // Rejections are seen where everything is awaited.
    promise.catch(() => undefined);
    this.#state = next;
    this.#commits++;
    this.#waiting.push(promise);
    return promise;
  }

  #tell(commit, durable) {
    if (durable) this.#report.durable(commit);
    else this.#report.acknowledged(commit);
  }

  async #durably(work) {
    await this.#settled();
    await work(this.#group);
    if (this.#commits > 0) this.#report.durable(this.#commits);
  }

  async #reopen() {
    await this.#durably((group) => group.close());
    const digest = digestOf(this.#state);
    await this.#open();
    if (digestOf(this.#state) !== digest) throw new Error("reopening shows another state");
  }

  async #settled() {
    await Promise.all(this.#waiting.splice(0));
  }

  #below(bound) {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * bound);
  }
}

function joined(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Leaves the process no descriptor but those it has. */
function exhaust() {
  try {
    for (;;) openSync("/dev/null", "r");
  } catch {
    // That was the last one.
  }
}

const [folder, seed, commitsMax, manner] = process.argv.slice(2);
await new History(folder, Number(seed), manner).live(Number(commitsMax));
