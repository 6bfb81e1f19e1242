import {
  type CommitLog,
  type CrashSubject,
  type Reopened,
  type SimulatedDisk,
  type SimulatedFile,
} from "../../src/index.ts";

/** Mistakes that the toy store can be told to make. */
export type ToyMistake =
  | "acknowledges before the sync"
  | "never syncs the folder"
  | "believes what it reads"
  | "keeps a torn tail"
  | "does not sync what it recovered"
  | "goes on after a failed sync"
  | "throws something of its own"
  | "forgets the first commit";

/**
 * A list of bytes in one file: record = value, check byte. The smallest store that promises anything, to test the
 * campaigns with.
 */
export class ToyStore {
  readonly #file: SimulatedFile;
  readonly #mistake: ToyMistake | undefined;
  #broken: unknown;
  readonly values: number[] = [];

  private constructor(file: SimulatedFile, mistake: ToyMistake | undefined) {
    this.#file = file;
    this.#mistake = mistake;
  }

  static async open(disk: SimulatedDisk, mistake?: ToyMistake): Promise<ToyStore> {
    const store = new ToyStore(disk.open("log", "create"), mistake);
    const bytes = new Uint8Array(store.#file.size());
    // eslint-disable-next-line no-empty -- short reads
    for (let at = 0; at < bytes.length; at += store.#file.read(at, bytes.subarray(at))) {}
    store.#parse(bytes);
    await store.#recover(bytes);
    if (mistake !== "never syncs the folder") await disk.sync();
    return store;
  }

  /** Appends one value. */
  async append(value: number, sync: boolean): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      this.#write(2 * this.values.length, Uint8Array.of(value, check(value, this.values.length)));
      if (sync && this.#mistake !== "acknowledges before the sync") await this.#file.sync();
    } catch (error) {
      if (this.#mistake === "throws something of its own")
        throw new Error("oops", { cause: error });
      if (this.#mistake !== "goes on after a failed sync") this.#broken = error;
      throw error;
    }
    this.values.push(value);
  }

  digest(): string {
    const skip = this.#mistake === "forgets the first commit" && this.values.length > 3 ? 1 : 0;
    return this.values.slice(skip).join(",");
  }

  #parse(bytes: Uint8Array): void {
    for (let at = 0; at + 1 < bytes.length; at += 2) {
      const value = bytes[at] ?? 0;
      const good = bytes[at + 1] === check(value, this.values.length);
      if (!good && this.#mistake !== "believes what it reads") return;
      this.values.push(value);
    }
  }

  /** Writes everything again: after a failed sync the medium may lack what can be read. */
  async #recover(bytes: Uint8Array): Promise<void> {
    if (this.#mistake !== "keeps a torn tail") this.#file.truncate(2 * this.values.length);
    if (this.#mistake === "does not sync what it recovered") return;
    this.#write(0, bytes.subarray(0, 2 * this.values.length));
    await this.#file.sync();
  }

  #write(at: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      done += this.#file.write(at + done, bytes.subarray(done));
    }
  }
}

function check(value: number, index: number): number {
  return (value * 31 + index * 17 + 99) & 0xff;
}

/** A history: values to append, and whether each is synced. */
export type ToyHistory = readonly { readonly value: number; readonly sync: boolean }[];

export function toySubject(history: ToyHistory, mistake?: ToyMistake): CrashSubject {
  return {
    initial: "",
    async run(disk: SimulatedDisk, log: CommitLog): Promise<void> {
      const store = await ToyStore.open(disk, mistake);
      const values: number[] = [];
      for (const { value, sync } of history) {
        const state = log.started([...values, value].join(","));
        try {
          await store.append(value, sync);
          values.push(value);
          if (sync) log.durable(state);
          else log.acknowledged(state);
        } catch (error) {
          if (mistake !== "goes on after a failed sync") throw error;
        }
      }
    },

    async reopen(disk: SimulatedDisk): Promise<Reopened> {
      const store = await ToyStore.open(disk, mistake);
      return {
        digest: store.digest(),
        check(): void {
          if (disk.sizeOf("log") !== 2 * store.values.length) throw new Error("wrong length");
        },
        async extend(): Promise<string> {
          await store.append(200, true);
          return store.digest();
        },
      };
    },
  };
}
