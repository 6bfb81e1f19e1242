import { AofError } from "./errors.ts";
import {
  encodeJournalHeader,
  type HeaderBlob,
  type HeaderFile,
  type JournalHeader,
  namesDigest,
} from "./journal-header.ts";
import { groupNames, type GroupLayout } from "./layout.ts";
import { type Medium, type MediumFile, syncAll } from "./medium.ts";
import { journalName, journalNextName, sideName } from "./own-names.ts";

/** The state a new journal shall describe. */
export interface Target {
  readonly generation: number;
  readonly clean: boolean;
  readonly sequence: number;
  readonly meta: Uint8Array;
  readonly files: readonly TargetFile[];
  readonly blobs: readonly TargetBlob[];
  /** Open files whose bytes the new header relies on. */
  readonly sync: readonly MediumFile[];
}

/** An append file: as it lies there, or what writes its next content and says how long that is. */
export type TargetFile =
  | { readonly kind: "kept"; readonly length: number }
  | { readonly kind: "replaced"; readonly write: (side: MediumFile) => Promise<number> };

/** A blob: as it lies there, or its next content. */
export type TargetBlob =
  | { readonly kind: "kept"; readonly content: HeaderBlob["content"] }
  | { readonly kind: "replaced"; readonly write: () => Uint8Array };

/** A switch that failed where it can no longer be undone: memory and medium may disagree. */
export class SwitchError extends Error {
  override readonly name = "SwitchError";
}

/**
 * Installs a new journal over the old one, in the only order that leaves every crash with one of the two:
 *
 * 1. sync the append files: the new header counts their bytes
 * 2. write the next content of what changes beside it, sync it
 * 3. write the next journal beside the old one, sync it
 * 4. sync the folder: the names of 2 and 3 are durable
 * 5. rename the journal over the old one
 * 6. sync the folder: the switch is durable
 *
 * Until 5 the old journal describes the state, after it the new one, and both describe it truly. The files of step 2 are
 * renamed later by {@link publish}: the header's pending bits say that this may be left to do.
 *
 * @param beforeSwitch - closes the old journal, which some systems demand before it can be replaced
 * @throws SwitchError, its cause the failure, from step 4 on, for any failed sync, or when step 2 or 3 could not be undone;
 *   every other failure is thrown as it is, with the folder as it was
 */
export async function install(
  medium: Medium,
  layout: GroupLayout,
  target: Target,
  beforeSwitch: () => void = () => undefined,
): Promise<JournalHeader> {
  const { prefix } = layout;
  const created: string[] = [];
  let header: JournalHeader;
  try {
    await syncAll(target.sync);
    header = await prepare(medium, layout, target, created);
    await writeSide(medium, journalNextName(prefix), created, (side) => {
      side.write(
        0,
        encodeJournalHeader(header, (parts) => medium.sha256(parts)),
      );
    });
  } catch (cause) {
    throw abandon(medium, created, cause);
  }
  try {
    await medium.syncFolder();
    beforeSwitch();
    medium.rename(journalNextName(prefix), journalName(prefix));
    await medium.syncFolder();
  } catch (cause) {
    throw new SwitchError("the journal was being switched", { cause });
  }
  return header;
}

/** Renames what {@link install} prepared. A crash here is finished by the next opening. */
export function publish(medium: Medium, layout: GroupLayout, header: JournalHeader): void {
  for (const name of pendingNames(layout, header)) {
    medium.rename(sideName(layout.prefix, header.generation, name), name);
  }
}

/** Names whose content was prepared as a side file of this header's generation. */
export function pendingNames(layout: GroupLayout, header: JournalHeader): string[] {
  const entries = [...header.files, ...header.blobs];
  return groupNames(layout).filter((_, i) => entries[i]?.pending === true);
}

async function prepare(
  medium: Medium,
  layout: GroupLayout,
  target: Target,
  created: string[],
): Promise<JournalHeader> {
  const side = (name: string): string => sideName(layout.prefix, target.generation, name);
  const sha256 = (parts: readonly Uint8Array[]): Uint8Array => medium.sha256(parts);
  const files: HeaderFile[] = [];
  for (const [i, file] of target.files.entries()) {
    const { name, recordSize } = itemAt(layout.files, i);
    let length: number;
    if (file.kind === "kept") length = file.length;
    else length = await writeSide(medium, side(name), created, file.write);
    files.push({ pending: file.kind === "replaced", length, recordSize });
  }
  const blobs: HeaderBlob[] = [];
  for (const [i, blob] of target.blobs.entries()) {
    if (blob.kind === "kept") {
      blobs.push({ pending: false, content: blob.content });
      continue;
    }
    const bytes = blob.write();
    const content = { length: bytes.length, digest: sha256([bytes]) };
    await writeSide(medium, side(itemAt(layout.blobs, i).name), created, (file) =>
      file.write(0, bytes),
    );
    blobs.push({ pending: true, content });
  }
  return {
    clean: target.clean,
    generation: target.generation,
    salt: medium.randomBytes(16),
    sequence: target.sequence,
    names: namesDigest(groupNames(layout), sha256),
    files,
    blobs,
    meta: target.meta,
  };
}

async function writeSide<T>(
  medium: Medium,
  name: string,
  created: string[],
  write: (side: MediumFile) => T | Promise<T>,
): Promise<T> {
  const side = medium.open(name, "createNew");
  created.push(name);
  try {
    const result = await write(side);
    await side.sync();
    return result;
  } finally {
    side.close();
  }
}

/** Removes what was prepared. A sync that failed, or a file that stays, makes the failure final. */
function abandon(medium: Medium, created: readonly string[], cause: unknown): unknown {
  let final = cause instanceof AofError && cause.code === "AOF_DURABILITY_UNKNOWN";
  for (const name of created) {
    try {
      medium.remove(name);
    } catch {
      // The first failure is the one to report; a file left behind is removed at the next opening.
      final = true;
    }
  }
  return final ? new SwitchError("the next journal could not be prepared", { cause }) : cause;
}

/** An item that is there because both lists were made from one layout. */
function itemAt<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`nothing at ${index} of ${items.length}`);
  return item;
}
