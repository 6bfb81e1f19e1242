import { sameBytes } from "./bytes.ts";
import { AofError } from "./errors.ts";
import {
  decodeJournalHeader,
  HEADER_BYTES_MAX,
  type JournalHeader,
  journalHeaderLength,
  namesDigest,
  type Sha256,
} from "./journal-header.ts";
import {
  decodeJournalRecord,
  type JournalRecord,
  PAYLOAD_BYTES_MAX,
  plausibleRecord,
  RECORD_BYTES_MIN,
  type RecordContext,
} from "./journal-record.ts";
import { groupNames, type GroupLayout } from "./layout.ts";
import { type MediumFile } from "./medium.ts";

/** A header and where the records after it begin. */
export interface ReadHeader {
  readonly header: JournalHeader;
  readonly length: number;
}

/** What a journal says after its header. */
export interface JournalContent {
  /** In order, without gaps; the file lengths they build on are checked. */
  readonly records: readonly JournalRecord[];
  /** The records as they lie in the journal, from byte `at` on. */
  readonly raw: { readonly at: number; readonly bytes: Uint8Array };
  /** Whether something follows the last record: an unfinished write, or with `repair` what cannot be read. */
  readonly tornTail: boolean;
}

/** No journal we write is longer: the largest limit, and one record beyond it. */
const JOURNAL_BYTES_MAX = 2 * PAYLOAD_BYTES_MAX + 65_536;

/**
 * Bytes the search for later records may hash, per byte of the journal and in all. Arbitrary content can look like many
 * overlapping records; past this the search gives up and calls the journal damaged.
 */
const SEARCH_BYTES_MIN = 64 * 1024 * 1024;
const SEARCH_FACTOR = 4;

/**
 * Reads a journal's header.
 *
 * @throws AofError `AOF_JOURNAL_DAMAGED`; `AOF_FOREIGN_CHANGE` when it describes other files; `AOF_RECORD_SIZE`
 */
export function readHeader(journal: MediumFile, layout: GroupLayout, sha256: Sha256): ReadHeader {
  const buffer = new Uint8Array(HEADER_BYTES_MAX);
  const bytes = buffer.subarray(0, journal.readSome(0, buffer));
  const header = decodeJournalHeader(bytes, sha256);
  if (
    header.files.length !== layout.files.length ||
    header.blobs.length !== layout.blobs.length ||
    !sameBytes(namesDigest(groupNames(layout), sha256), header.names)
  ) {
    throw new AofError("AOF_FOREIGN_CHANGE", `${journal.name} describes other files`);
  }
  for (const [i, { name, recordSize }] of layout.files.entries()) {
    const found = header.files[i]?.recordSize;
    if (found !== recordSize) {
      throw new AofError(
        "AOF_RECORD_SIZE",
        `${name} has records of ${found} bytes, asked for ${recordSize}`,
      );
    }
  }
  return { header, length: journalHeaderLength(bytes) };
}

/**
 * Reads the records that follow a header, and tells an unfinished last write from damage.
 *
 * A record that does not verify was either never durable, and everything from it on is dropped, or it was and is broken now. The
 * second is certain when any later record verifies that was written when the broken one was already durable.
 *
 * @throws AofError `AOF_JOURNAL_DAMAGED`
 */
export function readRecords(
  journal: MediumFile,
  { header, length: headerLength }: ReadHeader,
  options: { readonly repair: boolean; readonly allocate: (bytes: number) => Uint8Array },
  sha256: Sha256,
): JournalContent {
  const size = journal.size();
  if (size > JOURNAL_BYTES_MAX) throw damaged(journal, `has ${size} bytes, more than any we write`);
  const bytes = options.allocate(size);
  journal.readInto(0, bytes);
  const context = {
    salt: header.salt,
    fileCount: header.files.length,
    blobCount: header.blobs.length,
  };
  const records: JournalRecord[] = [];
  const lengths = header.files.map((file) => file.length);
  let at = headerLength;
  let sequence = header.sequence;
  for (;;) {
    const decoded = decodeJournalRecord(bytes, at, context, sha256);
    if (decoded === undefined) break;
    checkSteps(journal, at, decoded.record, sequence, lengths);
    records.push(decoded.record);
    at = decoded.end;
    sequence++;
  }
  const raw = { at: headerLength, bytes: bytes.subarray(headerLength, at) };
  if (at === size) return { records, raw, tornTail: false };
  if (header.clean) throw damaged(journal, `goes on at byte ${at} after a clean close`);
  const later = findDurable(journal, bytes, at, sequence + 1, context, sha256);
  if (later === undefined || options.repair) return { records, raw, tornTail: true };
  throw damaged(journal, `is broken at byte ${at}: ${later}`);
}

/** A record follows the one before it, and each of its steps starts within what that left. */
function checkSteps(
  journal: MediumFile,
  at: number,
  record: JournalRecord,
  sequence: number,
  lengths: number[],
): void {
  if (record.sequence !== sequence + 1) {
    throw damaged(journal, `has at byte ${at} commit ${record.sequence} after ${sequence}`);
  }
  for (const [i, { base, length }] of record.files.entries()) {
    const before = lengths[i] ?? 0;
    if (base > before) {
      throw damaged(journal, `has at byte ${at} a step from ${base} of a file of ${before} bytes`);
    }
    lengths[i] = base + length;
  }
}

/** Why the bytes from `at` on cannot be the rest of an unfinished write; `undefined` when they can. */
function findDurable(
  journal: MediumFile,
  bytes: Uint8Array,
  from: number,
  broken: number,
  context: RecordContext,
  sha256: Sha256,
): string | undefined {
  let budget = Math.max(SEARCH_BYTES_MIN, SEARCH_FACTOR * bytes.length);
  for (let at = from; at + RECORD_BYTES_MIN <= bytes.length; at++) {
    const candidate = plausibleRecord(bytes, at, context);
    if (candidate === undefined || candidate.record.durable < broken) continue;
    budget -= candidate.end - at;
    if (budget < 0) return "too many later bytes look like records to tell";
    if (decodeJournalRecord(bytes, at, context, sha256) === undefined) continue;
    return `commit ${broken} was durable when commit ${candidate.record.sequence} was written`;
  }
  return undefined;
}

function damaged(journal: MediumFile, found: string): AofError {
  return new AofError("AOF_JOURNAL_DAMAGED", `${journal.name} ${found}`);
}
