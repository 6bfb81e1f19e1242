import { sameBytes } from "./bytes.ts";
import { pendingNames } from "./checkpoint.ts";
import { clip, type ClippedRange } from "./clip.ts";
import { AofError } from "./errors.ts";
import { type HeaderBlob, type JournalHeader } from "./journal-header.ts";
import { type ReadHeader, readRecords } from "./journal-reader.ts";
import { type JournalRecord } from "./journal-record.ts";
import { type BlobContent, type BlobSpec, type GroupLayout } from "./layout.ts";
import { closeAll, type Medium, type MediumFile } from "./medium.ts";
import { isLeftover, journalName, sideName } from "./own-names.ts";

/**
 * What opening a folder with a journal comes to. Made by reading only; {@link carryOut} does it.
 */
export interface Recovery {
  readonly header: JournalHeader;
  readonly meta: Uint8Array;
  readonly sequence: number;
  readonly files: readonly RecoveredFile[];
  readonly blobs: readonly RecoveredBlob[];
  /** The journal's records as they lie there. */
  readonly raw: { readonly at: number; readonly bytes: Uint8Array };
  /** Names whose prepared content still has to be renamed. */
  readonly publish: readonly string[];
  /** Names to remove. */
  readonly leftovers: readonly string[];
  /** Whether the journal or a file is not as a checkpoint leaves it. */
  readonly dirty: boolean;
}

/** An append file: where its bytes are, and what the journal adds to them. */
export interface RecoveredFile {
  readonly name: string;
  /** The name its bytes have until the plan is carried out. */
  readonly source: string;
  readonly ranges: readonly ClippedRange[];
  /** Bytes when the plan is carried out. */
  readonly size: number;
}

/** A blob: the content the header counts on, and the owner's state after all commits. */
export interface RecoveredBlob {
  readonly content: BlobContent;
  readonly inHeader: HeaderBlob["content"];
  readonly changed: boolean;
}

/**
 * Reads a folder with a journal and decides what its state is.
 *
 * @param names - everything in the folder
 * @throws AofError `AOF_JOURNAL_DAMAGED`, `AOF_DAMAGED`, `AOF_FOREIGN_CHANGE`, `AOF_TRUNCATED`, `AOF_MISSING`, `AOF_NOT_A_FILE`
 */
export function planRecovery(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  journal: { readonly file: MediumFile; readonly start: ReadHeader },
  options: { readonly repair: boolean },
): Recovery {
  const { header } = journal.start;
  const side = (name: string): string => sideName(layout.prefix, header.generation, name);
  const publish = pendingNames(layout, header).filter((name) => names.has(side(name)));
  const source = (name: string): string => (publish.includes(name) ? side(name) : name);
  const { records, raw, tornTail } = readRecords(
    journal.file,
    journal.start,
    { repair: options.repair, allocate: medium.allocate },
    (parts) => medium.sha256(parts),
  );
  const files = layout.files.map(({ name }, i) =>
    readFile(medium, header, i, { name, source: source(name) }, records),
  );
  const blobs = layout.blobs.map((spec, i) => {
    const bytes = readBlob(
      medium,
      header,
      i,
      { name: spec.name, source: source(spec.name) },
      names,
    );
    const deltas = deltasOf(records, i);
    return {
      content: restoreBlob(spec, bytes, deltas),
      inHeader: header.blobs[i]?.content,
      changed: deltas.length > 0,
    };
  });
  const used = new Set(publish.map(side));
  const leftovers = [...names].filter((name) => isLeftover(layout.prefix, name) && !used.has(name));
  const last = records.at(-1);
  return {
    header,
    meta: (last?.meta ?? header.meta).slice(),
    sequence: last?.sequence ?? header.sequence,
    files: files.map(({ plan }) => plan),
    blobs,
    raw,
    publish,
    leftovers,
    dirty:
      publish.length + leftovers.length + records.length > 0 ||
      tornTail ||
      files.some(({ surplus }) => surplus),
  };
}

/**
 * Carries a plan out: afterwards the folder shows the state, and a checkpoint has to make it durable.
 *
 * @returns the append files, open; the caller closes them
 */
export async function carryOut(
  medium: Medium,
  layout: GroupLayout,
  recovery: Recovery,
): Promise<MediumFile[]> {
  // The journal that asks for these renames may be there without being durable: were it lost, the older one would find them done.
  if (recovery.publish.length > 0) await medium.syncFolder();
  if (recovery.raw.bytes.length > 0) await makeDurable(medium, layout, recovery);
  for (const name of recovery.publish) {
    medium.rename(sideName(layout.prefix, recovery.header.generation, name), name);
  }
  for (const name of recovery.leftovers) medium.remove(name);
  const opened: MediumFile[] = [];
  try {
    for (const { name, ranges, size } of recovery.files) {
      const file = medium.open(name, "existing");
      opened.push(file);
      // Every byte, also those that look right: after a failed sync readers see what the medium does not have.
      for (const { at, bytes } of ranges) if (bytes !== undefined) file.write(at, bytes);
      if (file.size() !== size) file.truncate(size);
    }
  } catch (cause) {
    closeAll(opened);
    throw cause;
  }
  return opened;
}

/**
 * Writes the records again where they are, and syncs them. What was found may never have reached the medium; a rewind among it must
 * not take effect before it does. Syncing alone would not do: after a failed sync nothing is left to be synced.
 */
async function makeDurable(medium: Medium, layout: GroupLayout, { raw }: Recovery): Promise<void> {
  const journal = medium.open(journalName(layout.prefix), "existing");
  try {
    journal.write(raw.at, raw.bytes);
    await journal.sync();
  } finally {
    journal.close();
  }
}

function readBlob(
  medium: Medium,
  header: JournalHeader,
  index: number,
  { name, source }: { readonly name: string; readonly source: string },
  names: ReadonlySet<string>,
): Uint8Array | undefined {
  const expected = header.blobs[index]?.content;
  if (expected === undefined) {
    if (names.has(name)) throw changed(header, `${name} is there and should not be`);
    return undefined;
  }
  const bytes = medium.withFile(source, (file) => {
    const size = file.size();
    if (size !== expected.length) {
      throw changed(header, `${name} has ${size} bytes, should have ${expected.length}`);
    }
    const content = medium.allocate(size);
    file.readInto(0, content);
    return content;
  });
  if (!sameBytes(medium.sha256([bytes]), expected.digest)) {
    throw changed(header, `${name} does not match its digest`);
  }
  return bytes;
}

function deltasOf(records: readonly JournalRecord[], index: number): Uint8Array[] {
  const deltas: Uint8Array[] = [];
  for (const record of records) {
    const delta = record.deltas[index];
    if (delta !== undefined && delta.length > 0) deltas.push(delta.slice());
  }
  return deltas;
}

/** Lets the owner rebuild a blob's state; what it throws means that the file is damaged. */
export function restoreBlob(
  spec: BlobSpec,
  bytes: Uint8Array | undefined,
  deltas: readonly Uint8Array[],
): BlobContent {
  try {
    return spec.restore(bytes, deltas);
  } catch (cause) {
    throw new AofError("AOF_DAMAGED", `${spec.name} was refused by its owner`, { cause });
  }
}

function readFile(
  medium: Medium,
  header: JournalHeader,
  index: number,
  { name, source }: { readonly name: string; readonly source: string },
  records: readonly JournalRecord[],
): { readonly plan: RecoveredFile; readonly surplus: boolean } {
  const length = header.files[index]?.length ?? 0;
  const found = medium.withFile(source, (file) => file.size());
  if (header.clean && found !== length) {
    throw changed(header, `${name} has ${found} bytes, should have ${length}`);
  }
  const steps = records.flatMap((record) => record.files[index] ?? []);
  const { ranges, baseMin, size } = clip(steps, length);
  let needed = baseMin;
  for (const range of ranges) if (range.bytes === undefined) needed = range.at + range.length;
  if (found < needed) {
    throw new AofError("AOF_TRUNCATED", `${name} ends at ${found}, before ${needed}`);
  }
  return { plan: { name, source, ranges, size }, surplus: found !== size };
}

function changed(header: JournalHeader, found: string): AofError {
  return new AofError(header.clean ? "AOF_FOREIGN_CHANGE" : "AOF_DAMAGED", found);
}
