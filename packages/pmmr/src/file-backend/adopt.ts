import type { Adoption } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { appendFilesOf, type FolderShape, type FolderView, Problems } from "./folder.ts";
import { judgeFolder, readBitmap, rootOf } from "./judge.ts";
import { DATA_FILE, HASH_FILE, LEAF_FILE, snapshotName } from "./names.ts";
import { planRepair, type RepairOptions, type RepairPlan } from "./repair.ts";
import { encodeStateMeta } from "./state-meta.ts";

/** What the caller of an opening wants from a folder that no journal speaks for. */
export interface AdoptOptions {
  /** Whether a damaged folder shall be made consistent. */
  readonly repair: boolean;
  /** Id of the snapshot that takes the place of the leaf set. Default: none. */
  readonly snapshot: string | undefined;
  /** Size to go back to in a repair. Default: as large as possible. */
  readonly size: number | undefined;
}

/**
 * Judges a folder that no journal speaks for. Only reads.
 *
 * @param problems - receives what is wrong
 */
export function adopt(
  view: FolderView,
  shape: FolderShape,
  problems: Problems,
  options: AdoptOptions,
): Adoption {
  const { snapshot } = options;
  const leafFile = snapshot === undefined ? LEAF_FILE : snapshotName(snapshot);
  const judgement = judgeFolder(view, shape, leafFile);
  problems.list.push(...judgement.problems);
  const { state } = judgement;
  if (state !== undefined && snapshot === undefined) {
    return {
      kind: "accept",
      meta: encodeStateMeta({ size: state.size, root: rootOf(view, state, shape.hashing) }),
    };
  }
  if (state !== undefined) {
    const root = rootOf(view, state, shape.hashing);
    return {
      kind: "repair",
      meta: encodeStateMeta({ size: state.size, root }),
      sizes: appendFilesOf(shape).map(({ name }) => view.size(name) ?? 0),
      blobs: [state.unspent.serialize(), undefined],
    };
  }
  const plan = planRepair(view, shape, {
    ...repairOptions(view, leafFile, options.size),
    quick: !options.repair,
  });
  if (options.repair && plan !== undefined) return adoptionOf(plan, view, shape);
  const messages = judgement.problems.map(({ message }) => message);
  return { kind: "damaged", problems: messages, repairable: plan !== undefined };
}

function repairOptions(
  view: FolderView,
  leafFile: string,
  size: number | undefined,
): RepairOptions {
  const unspent = leafFile === LEAF_FILE ? undefined : readBitmap(view, leafFile, new Problems());
  return {
    ...(size === undefined ? {} : { size }),
    ...(unspent === undefined ? {} : { unspent }),
  };
}

function adoptionOf(plan: RepairPlan, view: FolderView, shape: FolderShape): Adoption {
  const { state } = plan;
  const root = rootOf(view, state, shape.hashing, plan.hashFile);
  const pruneBytes = Bitmap.from(state.prune.roots1()).serialize();
  return {
    kind: "repair",
    meta: encodeStateMeta({ size: state.size, root }),
    sizes: [plan.hashSize, plan.dataSize, ...lengthsOf(plan.sizeEntries)],
    takeFrom: [unless(HASH_FILE, plan.hashFile), unless(DATA_FILE, plan.dataFile), undefined],
    content: [undefined, undefined, plan.sizeEntries],
    blobs: shape.prunable ? [state.unspent.serialize(), pruneBytes] : [pruneBytes],
  };
}

function unless(usual: string, file: string): string | undefined {
  return file === usual ? undefined : file;
}

function lengthsOf(entries: Uint8Array | undefined): number[] {
  return entries === undefined ? [] : [entries.length];
}
