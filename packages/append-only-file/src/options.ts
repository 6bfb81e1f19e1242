import { checkBytes, checkCount, EMPTY } from "./bytes.ts";
import { META_BYTES_MAX } from "./journal-header.ts";
import { PAYLOAD_BYTES_MAX } from "./journal-record.ts";

/** Told what a group does, as it happens. What a hook throws is ignored. */
export interface GroupMetrics {
  /** A commit's record of this many bytes was written; it may still be waiting for its sync. */
  commit?(event: { readonly sequence: number; readonly journalBytes: number }): void;
  /** The journal of this generation replaced the one before. */
  checkpoint?(event: { readonly sequence: number; readonly generation: number }): void;
  /** Writing ended for good. */
  poisoned?(event: { readonly error: unknown }): void;
}

/** How `FileGroup.open` opens. */
export interface GroupOptions {
  /**
   * Takes no lock and touches nothing: recovery is applied in memory. The state is that at the opening; it is only safe to go on
   * reading while nobody writes. Default: false.
   */
  readonly readOnly?: boolean;
  /**
   * Makes a damaged folder consistent as far as its owner (`GroupLayout.adopt`) knows how; a journal that is broken in the middle
   * is cut there. What was acknowledged may be lost. Default: false.
   */
  readonly repair?: boolean;
  /** Accepts, after validation, a folder that somebody else changed after it was closed. Default: false. */
  readonly adopt?: boolean;
  /** Refuses an older state than this with `AOF_ROLLED_BACK`. */
  readonly expect?: { readonly sequence: number };
  /** `meta` of a group that this opening creates, at most 1024 bytes. Default: empty. */
  readonly initialMeta?: Uint8Array;
  /** From this many bytes a commit's bytes go to the files only and are synced there. Default: 1 MiB. */
  readonly bulkBytesMin?: number;
  /** A journal longer than this is checkpointed, in bytes up to 1 GiB. Default: 16 MiB. */
  readonly journalBytesMax?: number;
  /** A journal of more records than this is checkpointed. Default: 10,000. */
  readonly journalRecordsMax?: number;
  /** Pages of 4 KiB kept in memory, for all files together; 0 keeps none. Default: 1024. */
  readonly cachePagesMax?: number;
  /** Copies that may be read at a time; one more is `AOF_TOO_MANY`. Default: 10,000. */
  readonly copiesMax?: number;
  /** Default: nobody is told. */
  readonly metrics?: GroupMetrics;
  /** Makes every buffer whose size depends on data. Default: `new Uint8Array(bytes)`. */
  readonly allocate?: (bytes: number) => Uint8Array<ArrayBuffer>;
}

/** Options with every default filled in, checked. */
export function checkGroupOptions(options: GroupOptions): Required<GroupOptions> {
  const chosen: Required<GroupOptions> = {
    readOnly: options.readOnly ?? false,
    repair: options.repair ?? false,
    adopt: options.adopt ?? false,
    expect: options.expect ?? { sequence: 0 },
    initialMeta: options.initialMeta ?? EMPTY,
    bulkBytesMin: options.bulkBytesMin ?? 1024 * 1024,
    journalBytesMax: options.journalBytesMax ?? 16 * 1024 * 1024,
    journalRecordsMax: options.journalRecordsMax ?? 10_000,
    cachePagesMax: options.cachePagesMax ?? 1024,
    copiesMax: options.copiesMax ?? 10_000,
    metrics: options.metrics ?? {},
    allocate: options.allocate ?? ((bytes) => new Uint8Array(bytes)),
  };
  checkCount("expect.sequence", chosen.expect.sequence);
  checkCount("bulkBytesMin", chosen.bulkBytesMin);
  checkCount("journalBytesMax", chosen.journalBytesMax);
  checkCount("journalRecordsMax", chosen.journalRecordsMax);
  checkCount("cachePagesMax", chosen.cachePagesMax);
  checkCount("copiesMax", chosen.copiesMax);
  checkBytes("initialMeta", chosen.initialMeta);
  if (chosen.initialMeta.length > META_BYTES_MAX) {
    throw new RangeError(
      `initialMeta must be at most ${META_BYTES_MAX} bytes, got ${chosen.initialMeta.length}`,
    );
  }
  if (chosen.journalBytesMax > PAYLOAD_BYTES_MAX) {
    throw new RangeError(
      `journalBytesMax must be at most ${PAYLOAD_BYTES_MAX}, got ${chosen.journalBytesMax}`,
    );
  }
  if (chosen.readOnly && chosen.repair) {
    throw new TypeError("readOnly and repair exclude each other");
  }
  return chosen;
}
