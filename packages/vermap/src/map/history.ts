import { type LogOptions, LogWalk } from "../graph/log-walk.ts";
import { type Commit } from "../records/commit-record.ts";
import { type Repository } from "../repository/repository.ts";

/**
 * Commits of a history, newest first, read a page at a time. A commit that is collected meanwhile ends it with an error.
 *
 * @yields commits
 */
export async function* logOf(
  repository: Repository,
  head: number,
  options: LogOptions,
): AsyncGenerator<Commit, undefined, undefined> {
  const walk = new LogWalk(repository.commits, head, options);
  if (head !== 0) await repository.run(repository.commits.enter(head));
  for (;;) {
    const page = await repository.run(walk.read());
    if (page.length === 0) return undefined;
    yield* page;
  }
}
