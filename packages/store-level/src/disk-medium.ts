import { type Medium } from "./wrap/medium.ts";

/** What {@link DiskMedium} asks of the database's folder. */
export interface LogFolder {
  /** Names of the logs, the oldest first. */
  logs(): Promise<readonly string[]>;
  /** Makes the content of a log durable; one that is gone is in a table that is. */
  syncFile(name: string): Promise<void>;
  /** Makes the names durable. */
  sync(): Promise<void>;
}

/** Bytes an entry takes in LevelDB's memory besides key and value, at most: lengths, sequence, up to 12 links. */
const ENTRY_OVERHEAD_MAX = 160;
/** LevelDB takes memory in blocks of 4 KiB, and may leave up to 1 KiB of each unused. */
const BLOCK_WASTE_MAX = 4 / 3;
const MEMORY_SLACK = 8192;

/**
 * The disk under a LevelDB.
 *
 * LevelDB starts a new log whenever a write buffer is full. It never syncs the old one, and never makes the new one's
 * name durable. So:
 *
 * 1. Before a synced write that follows unsynced ones, all logs are synced ({@link barrier}).
 * 2. When a new log has begun, all logs and the folder are synced before the write that began it is acknowledged: the
 *    record just synced has a name, and a power cut later loses the end of the newest log at most, never the end of an
 *    older one. Whether a log has begun is looked up only when the write buffer may have filled since the last one did.
 */
export class DiskMedium implements Medium {
  readonly #folder: LogFolder;
  readonly #writeBufferSize: number;
  readonly #closing: (sequence: number) => Promise<void>;
  #logs: ReadonlySet<string>;
  /** At most so many bytes of the write buffer are taken. */
  #bufferedMax = MEMORY_SLACK;

  /**
   * @param logs - names of the logs whose names are durable
   * @param writeBufferSize - as given to LevelDB
   * @param closing - called before the database is closed
   */
  constructor(
    folder: LogFolder,
    logs: readonly string[],
    writeBufferSize: number,
    closing: (sequence: number) => Promise<void>,
  ) {
    this.#folder = folder;
    this.#logs = new Set(logs);
    this.#writeBufferSize = writeBufferSize;
    this.#closing = closing;
  }

  async barrier(): Promise<void> {
    await this.#syncLogs(await this.#folder.logs());
  }

  async written(byteCount: number, entryCount: number): Promise<void> {
    const taken = (byteCount + entryCount * ENTRY_OVERHEAD_MAX) * BLOCK_WASTE_MAX;
    this.#bufferedMax += taken;
    if (this.#bufferedMax < this.#writeBufferSize) return;
    const logs = await this.#folder.logs();
    if (logs.every((name) => this.#logs.has(name))) return;
    await this.#syncLogs(logs);
    // The write that began the new log is in its buffer.
    this.#bufferedMax = MEMORY_SLACK + taken;
  }

  closing(sequence: number): Promise<void> {
    return this.#closing(sequence);
  }

  async #syncLogs(logs: readonly string[]): Promise<void> {
    // The oldest first, one after the other: whatever a power cut leaves is then a beginning.
    for (const name of logs) await this.#folder.syncFile(name);
    if (!logs.every((name) => this.#logs.has(name))) await this.#folder.sync();
    this.#logs = new Set(logs);
  }
}
