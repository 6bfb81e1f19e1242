import { type Operation } from "@x/store";

import { VerMapError } from "../errors.ts";
import { encodeMentions } from "../records/mention-record.ts";
import { translated } from "../repository/failure.ts";
import { type Repository } from "../repository/repository.ts";
import { reachOf, rootsOf } from "./reach.ts";
import { type RecordSurvey, surveyRecords } from "./record-survey.ts";
import { type StoredMap } from "./verify.ts";

/** What `VerMap.repair` did. */
export interface MapRepairReport {
  /** Commits that nothing led to, now deleted. */
  readonly commitsDeleted: number;
  /** Counts that were wrong. */
  readonly countsWritten: number;
  /** Nodes of the tree that nothing led to, now deleted. */
  readonly nodesDeleted: number;
}

/** Operations in one batch. */
const BATCH_COUNT_MAX = 1000;

/** Repairs records, then the tree. The caller has the turn. */
export async function repairMap(repository: Repository): Promise<MapRepairReport> {
  await repository.assertNotOvertaken();
  const { operations, commitsDeleted, countsWritten, roots } = await planRepair(repository);
  for (let from = 0; from < operations.length; from += BATCH_COUNT_MAX)
    await repository.write({ operations: operations.slice(from, from + BATCH_COUNT_MAX) });
  repository.commits.clear();
  const { nodesDeleted } = await translated(() => repository.pool.repair({ roots }));
  return { commitsDeleted: commitsDeleted.length, countsWritten, nodesDeleted };
}

/** What brings records into order, and what is left of them then. */
interface RecordRepair {
  readonly operations: readonly Operation[];
  readonly commitsDeleted: readonly number[];
  readonly countsWritten: number;
  /** Every mention of a root, afterwards. */
  readonly roots: readonly number[];
}

/**
 * Works out what makes counts of commits what they should be, and removes commits that nothing leads to.
 *
 * @throws VerMapError VERMAP_CORRUPT, VERMAP_MISSING where a record itself is damaged: that cannot be mended
 */
async function planRepair({ store, keys }: StoredMap): Promise<RecordRepair> {
  const survey = await surveyRecords(store, keys);
  const { commits, mentions } = survey;
  const reach = reachOf(survey);
  assertReadable(survey, reach.missing[0]?.id);
  const operations: Operation[] = [];
  const commitsDeleted = [...commits.keys()].filter((id) => !reach.mentions.has(id));
  for (const id of commitsDeleted) {
    operations.push({ type: "del", key: keys.commit(id) });
    commits.delete(id);
  }
  const damaged = survey.faults.map(({ id }) => id);
  let countsWritten = 0;
  for (const id of new Set([...reach.mentions.keys(), ...mentions.keys(), ...damaged])) {
    const expected = reach.mentions.get(id) ?? 1;
    if ((mentions.get(id) ?? 1) === expected && !damaged.includes(id)) continue;
    countsWritten++;
    const key = keys.mentions(id);
    if (expected > 1) operations.push({ type: "put", key, value: encodeMentions(id, expected) });
    else operations.push({ type: "del", key });
  }
  return { operations, commitsDeleted, countsWritten, roots: rootsOf(survey) };
}

/** Counts can be made anew; nothing else can. */
function assertReadable({ faults }: RecordSurvey, missing: number | undefined): void {
  const fault = faults.find(({ at }) => at !== "mentions");
  if (fault !== undefined)
    throw new VerMapError(
      fault.kind === "missing" ? "VERMAP_MISSING" : "VERMAP_CORRUPT",
      `${fault.at} ${fault.id} is ${fault.kind}, which repairing cannot mend`,
    );
  if (missing !== undefined)
    throw new VerMapError("VERMAP_MISSING", `commit ${missing} is mentioned, but not there`, {
      commitId: missing,
    });
}
