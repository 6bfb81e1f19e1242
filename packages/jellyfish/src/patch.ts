import { type Reading } from "@x/store";
import { copyBytes, sameBytes } from "@x/store/adapter";
import { type Change } from "./change.ts";
import { type TreeContext } from "./context.ts";
import { DifferenceWalk } from "./difference.ts";
import { JellyfishError } from "./errors.ts";
import { hexStart } from "./load.ts";
import { checkArgument } from "./path.ts";
import { update, type UpdateResult } from "./update.ts";

/** What turns one tree into another: plain data, to be sent to whoever has the first. */
export interface Patch {
  /** 32 bytes. */
  readonly from: Uint8Array;
  /** 32 bytes. */
  readonly to: Uint8Array;
  /** Ascending by path. May as well be a batch for a third root, which has no say in it: the patch wins. */
  readonly changes: readonly Change[];
}

/**
 * The patch from one root to another: costs, and holds in memory, the size of the difference. Errors as
 * {@link DifferenceWalk}.
 *
 * @yields the hashes of nodes to read
 */
export function* makePatch(
  context: TreeContext,
  roots: { readonly before: Uint8Array; readonly after: Uint8Array },
): Reading<Patch> {
  const walk = new DifferenceWalk(context, roots);
  const from = copyBytes(roots.before);
  const to = copyBytes(roots.after);
  const changes: Change[] = [];
  for (;;) {
    const page = yield* walk.next();
    if (page.length === 0) return { from, to, changes };
    for (const { path, after } of page)
      changes.push({
        path: copyBytes(path),
        value: after && copyBytes(after.value),
        key: after?.key && copyBytes(after.key),
      });
  }
}

/**
 * Applies a patch to the root it was made from, as one update. Errors as {@link update}.
 *
 * @yields the hashes of nodes to read
 * @throws JellyfishError JELLYFISH_PATCH if its changes do not lead to its root
 */
export function* applyPatch(context: TreeContext, patch: Patch): Reading<UpdateResult> {
  checkArgument(patch.to, "to of a patch");
  const result = yield* update(context, patch.from, patch.changes);
  if (!sameBytes(result.root, patch.to))
    throw new JellyfishError(
      "JELLYFISH_PATCH",
      `a patch to ${hexStart(patch.to)}… leads to ${hexStart(result.root)}…`,
    );
  return result;
}
