import { type Store } from "@x/store";

import { surveyRecords } from "../../src/check/record-survey.ts";
import { type VerMap } from "../../src/index.ts";
import { RecordKeys } from "../../src/records/record-keys.ts";
import { collect } from "../collect.ts";

/** Everything that can be read of a map, as text: branches and commits with their contents. */
export async function dumpOf(
  store: Store,
  prefix: Uint8Array,
  map: VerMap<string, string>,
): Promise<string> {
  const branches = [];
  for (const info of map.branches())
    branches.push([info, await collect(map.branch(info.id).entries())]);
  const commits = [];
  const survey = await surveyRecords(store, new RecordKeys(prefix));
  for (const { id, parents, message } of survey.commits.values()) {
    using snapshot = await map.at(id);
    commits.push([id, parents, message, await collect(snapshot.entries())]);
  }
  return JSON.stringify({ branches, commits });
}
