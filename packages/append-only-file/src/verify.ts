import { type StopSignal } from "./commit.ts";
import { AofError } from "./errors.ts";
import { type FixedRecords } from "./fixed-records.ts";
import { sizeEntries } from "./size-entries.ts";
import { VariableRecords } from "./variable-records.ts";

/** How much `AppendOnlyFile.verify` looks at. */
export interface VerifyOptions {
  /** Goes on after the first problem. Default: false. */
  readonly all?: boolean;
  /** Most problems listed; the rest is counted. Default: 1000. */
  readonly problemsMax?: number;
  /** Looked at after every record. */
  readonly signal?: StopSignal;
  /** Called after every 1024 records. An exception ends the verification. */
  readonly onProgress?: (progress: { readonly recordsDone: number }) => void;
}

/** What `AppendOnlyFile.verify` found. */
export interface VerifyReport {
  readonly ok: boolean;
  /** Records looked at. */
  readonly records: number;
  /** Bytes of these records. */
  readonly bytes: number;
  readonly problemCount: number;
  /** In order of records, at most `problemsMax`. */
  readonly problems: readonly RecordProblem[];
}

/** A record that is not what it must be. */
export interface RecordProblem {
  readonly index: number;
  /** Name of the file, and where in it. */
  readonly file: string;
  readonly offset: number;
  /** What reading it, or the owner's check, threw. */
  readonly error: unknown;
}

const PROGRESS_RECORDS = 1024;
const PROBLEMS_MAX = 1000;

/** Reads every record and asks `check` about it. */
export async function verifyRecords(
  records: FixedRecords | VariableRecords,
  check: ((record: Uint8Array, index: number) => void) | undefined,
  { all = false, problemsMax = PROBLEMS_MAX, signal, onProgress }: VerifyOptions,
): Promise<VerifyReport> {
  const problems: RecordProblem[] = [];
  let problemCount = 0;
  let done = 0;
  let bytes = 0;
  for (const place of placesOf(records)) {
    if (signal?.aborted === true) throw signal.reason ?? new Error("the verification was stopped");
    try {
      if (place.problem !== undefined) throw new AofError("AOF_DAMAGED", place.problem);
      const record = records.read(place.index);
      bytes += record.length;
      check?.(record, place.index);
    } catch (error) {
      problemCount++;
      const { index, file, offset } = place;
      if (problems.length < problemsMax) problems.push({ index, file, offset, error });
      if (!all) break;
    }
    if (place.index === records.count) continue;
    done++;
    if (done % PROGRESS_RECORDS === 0) {
      onProgress?.({ recordsDone: done });
      await Promise.resolve();
    }
  }
  return { ok: problemCount === 0, records: done, bytes, problemCount, problems };
}

interface Place {
  readonly index: number;
  readonly file: string;
  readonly offset: number;
  readonly problem: string | undefined;
}

function* placesOf(records: FixedRecords | VariableRecords): Generator<Place, void> {
  if (records instanceof VariableRecords) {
    yield* variablePlaces(records);
    return;
  }
  const { file, recordSize, count } = records;
  for (let index = 0; index < count; index++) {
    yield { index, file: file.name, offset: index * recordSize, problem: undefined };
  }
}

function* variablePlaces({ data, sizes, count }: VariableRecords): Generator<Place, void> {
  let index = 0;
  let expected = 0;
  for (const { offset, size, damaged } of sizeEntries(sizes, 0, count)) {
    const problem = damaged
      ? `size entry ${index} is none that is ever written`
      : offset === expected
        ? undefined
        : `size entry ${index} starts at ${offset}, not at ${expected}`;
    yield { index, file: data.name, offset, problem };
    expected = offset + size;
    index++;
  }
  if (expected !== data.size) {
    const problem = `the entries end at ${expected}, the data at ${data.size}`;
    yield { index, file: data.name, offset: expected, problem };
  }
}
