import { described } from "../crash/failure.ts";
import { type Mark, refusal } from "../crash/subject.ts";

/** A store on a real disk that a child process writes and a test opens. */
export interface StoreOnDisk {
  /** Digest of what an empty folder opens to. */
  readonly empty: string;
  /**
   * Arguments for Node.js that open the folder and write one random history. The child reports what it does through
   * `HistoryReport`. It ends with code 0 when it has reported an error of the store, or has made `commitsMax` commits and
   * closed the store; with anything else only by a mistake.
   */
  child(folder: string, seed: number, commitsMax: number): readonly string[];
  /**
   * Opens the folder in this process, digests all of it, closes it and returns the digest.
   *
   * @param thorough - also checks everything that the store can check about itself
   */
  reopen(folder: string, thorough: boolean): Promise<string>;
}

/** A promise that a store broke on a real disk. */
export class DiskFailure extends Error {
  override readonly name = "DiskFailure";
}

/**
 * Opens the folder after its writer died, and holds it to its promises.
 *
 * @param floor - the oldest state that may be found
 * @param where - names the run, for the error
 * @returns the digest found
 */
export async function mustKeep(
  store: StoreOnDisk,
  folder: string,
  {
    mark,
    floor,
    thorough,
  }: { readonly mark: Mark; readonly floor: number; readonly thorough: boolean },
  where: string,
): Promise<string> {
  let digest: string;
  try {
    digest = await store.reopen(folder, thorough);
  } catch (cause) {
    throw new DiskFailure(`recovery failed: ${described(cause)} [${where}]`, { cause });
  }
  const reason = refusal(mark, floor, digest);
  if (reason !== undefined) throw new DiskFailure(`${reason} [${where}]`);
  return digest;
}
