import { type JournalHeader } from "./journal-header.ts";
import {
  encodeJournalRecord,
  type JournalRecord,
  journalRecordLength,
  PAYLOAD_BYTES_MAX,
} from "./journal-record.ts";
import { type Medium, type MediumFile } from "./medium.ts";

/**
 * The open journal.
 *
 * Invariants
 * 1. `durable <= sequence`; the records up to `durable` have been seen to be synced, later ones may vanish in a power cut.
 * 2. `size` is where the next record goes: nothing is ever written below it.
 */
export class Journal {
  readonly #medium: Medium;
  readonly #file: MediumFile;
  readonly header: JournalHeader;
  #size: number;
  #records = 0;
  #sequence: number;
  #durable: number;

  /** @param file - holds exactly the header, durable */
  constructor(medium: Medium, file: MediumFile, header: JournalHeader) {
    this.#medium = medium;
    this.#file = file;
    this.header = header;
    this.#size = file.size();
    this.#sequence = header.sequence;
    this.#durable = header.sequence;
  }

  /** Bytes, the header included. */
  get size(): number {
    return this.#size;
  }

  get records(): number {
    return this.#records;
  }

  /** Number of the last commit written. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Number of the last commit known to be on the medium. */
  get durable(): number {
    return this.#durable;
  }

  /** The bytes of the next record. Nothing is written yet. */
  encode(parts: Pick<JournalRecord, "files" | "deltas" | "meta">): Uint8Array {
    const record = { ...parts, sequence: this.#sequence + 1, durable: this.#durable };
    const length = journalRecordLength(record);
    if (length > PAYLOAD_BYTES_MAX) {
      throw new RangeError(
        `a commit's record must be at most ${PAYLOAD_BYTES_MAX} bytes, got ${length}`,
      );
    }
    const bytes = this.#medium.allocate(length);
    encodeJournalRecord(record, this.header.salt, (p) => this.#medium.sha256(p), bytes);
    return bytes;
  }

  /** Writes what {@link Journal.encode} returned last. After a failure nothing more may be written. */
  append(bytes: Uint8Array): void {
    this.#file.write(this.#size, bytes);
    this.#size += bytes.length;
    this.#records++;
    this.#sequence++;
  }

  /** Makes every record written so far durable. After a failure nothing more may be written. */
  async sync(): Promise<void> {
    const sequence = this.#sequence;
    await this.#file.sync();
    this.#durable = sequence;
  }

  close(): void {
    this.#file.close();
  }
}
