// Writes one random history into a range in a folder and reports it line by line.
// Arguments: folder, seed, number of commits.
import { leafPosition } from "@x/pmmr";
import { HistoryReport } from "@x/testing/report";

import { digestOf, isDocumented, openKit } from "./folder-kit.mjs";

/** Leaves that a range may hold before it is rewound, so that digests stay cheap. */
const LEAVES_MAX = 600;

class History {
  #report = new HistoryReport();
  #path;
  #random;
  #folder;
  #waiting = [];
  #commits = 0;
  #failed = false;

  constructor(path, seed) {
    this.#path = path;
    this.#random = seed >>> 0;
  }

  async live(commitsMax) {
    try {
      this.#folder = await openKit(this.#path);
      this.#report.opened(digestOf(this.#folder));
      while (this.#commits < commitsMax && !this.#failed) await this.#turn();
      await this.#settled();
    } catch (error) {
      // Any other ends the process with its stack.
      if (!isDocumented(error)) throw error;
      this.#report.failed(error);
    }
    await Promise.allSettled(this.#waiting);
    try {
      await this.#folder?.close();
    } catch (error) {
      this.#report.failed(error);
    }
  }

  async #turn() {
    const dice = this.#below(100);
    if (dice < 88) await this.#commit();
    else if (dice < 91) await this.#durably(() => this.#folder.sync());
    else if (dice < 93) await this.#durably(() => this.#folder.checkpoint());
    else if (dice < 97) await this.#compact();
    else await this.#reopen();
  }

  async #commit() {
    for (let changes = 1 + this.#below(3); changes > 0; changes--) this.#change();
    if (!this.#folder.isDirty) return;
    const commit = this.#report.started(digestOf(this.#folder));
    const sync = this.#below(2) === 0;
    const promise = this.#folder.commit({ sync }).then(
      () => (sync ? this.#report.durable(commit) : this.#report.acknowledged(commit)),
      (error) => {
        // What it held is pending again, and what came after it builds on that.
        this.#failed = true;
        throw error;
      },
    );
    // Rejections are seen where everything is awaited.
    promise.catch(() => undefined);
    this.#commits++;
    this.#waiting.push(promise);
    if (this.#below(3) > 0) await promise;
    if (this.#waiting.length > 8) await this.#settled();
  }

  #change() {
    const { pmmr } = this.#folder;
    const leaves = pmmr.leafCount;
    const dice = this.#below(10);
    if (leaves > LEAVES_MAX || (dice === 0 && leaves > 0)) {
      this.#rewind(leaves > LEAVES_MAX ? this.#below(leaves) : leaves - this.#below(20));
    } else if (dice < 6) {
      const count = dice === 5 ? 1 + this.#below(200) : 1 + this.#below(6);
      pmmr.pushMany(Array.from({ length: count }, () => this.#element()));
    } else if (leaves > 0) {
      for (let i = 0; i < 12; i++) pmmr.prune(leafPosition(this.#below(leaves)));
    }
  }

  #rewind(leaves) {
    try {
      this.#folder.pmmr.rewind(leafPosition(Math.max(0, leaves)));
    } catch (error) {
      if (error.code !== "PMMR_COMPACTED") throw error;
      this.#folder.pmmr.rewind(0);
    }
  }

  async #compact() {
    await this.#settled();
    await this.#commit();
    await this.#settled();
    if (this.#folder.isDirty) return;
    const commit = this.#report.started(digestOf(this.#folder));
    this.#commits++;
    const horizon = this.#below(this.#folder.pmmr.size + 1);
    await this.#folder.compact({ horizon });
    this.#report.durable(commit);
  }

  async #durably(work) {
    await this.#settled();
    await work();
    if (this.#commits > 0) this.#report.durable(this.#commits);
  }

  async #reopen() {
    await this.#durably(() => this.#folder.close());
    this.#folder = await openKit(this.#path);
  }

  async #settled() {
    await Promise.all(this.#waiting.splice(0));
  }

  #element() {
    const length = 1 + this.#below(60);
    return Uint8Array.from({ length }, () => this.#below(256));
  }

  #below(bound) {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * bound);
  }
}

const [path, seed, commitsMax] = process.argv.slice(2);
await new History(path, Number(seed)).live(Number(commitsMax));
