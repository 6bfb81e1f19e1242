import { encodeText } from "../codec/text.ts";
import { VerMapError } from "../errors.ts";
import { type WriteOptions } from "../map/committing.ts";
import { type MapInternals } from "../map/map-internals.ts";
import { syncOf } from "../map/working.ts";
import { AnchorKind, decodeAnchor } from "../records/anchor-record.ts";
import { type Repository } from "../repository/repository.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { findTag, type Tag, tagAnchor, tagOf } from "./tag-record.ts";

/** See {@link Tags.set}. */
export interface TagOptions extends WriteOptions {
  /** Why. Default: none. */
  readonly message?: string;
  /** Whether a tag of that name may be moved. Default: false. */
  readonly replace?: boolean;
  /** Microseconds since 1970. Default: what the map's clock says. */
  readonly time?: number;
}

/** What tags need of their map. */
type TaggedMap = Pick<MapInternals<unknown, unknown>, "repository" | "clock">;

let makeTags: (internals: TaggedMap) => Tags;

/** The tags of a map: names for commits, which keep them and their history alive as branches do, and never move by themselves. */
export class Tags {
  readonly #repository: Repository;
  readonly #clock: () => number;

  static {
    makeTags = (internals) => new Tags(internals);
  }

  private constructor({ repository, clock }: TaggedMap) {
    this.#repository = repository;
    this.#clock = clock;
  }

  /**
   * Tags a commit.
   *
   * @throws VerMapError VERMAP_TAG_EXISTS, VERMAP_COMMIT_NOT_FOUND
   */
  set(name: string, commit: number, options: TagOptions = {}): Promise<Tag> {
    const key = encodeText(name);
    const repository = this.#repository;
    return repository.exclusive(async () => {
      if (options.replace !== true && (await this.get(name)) !== undefined)
        throw new VerMapError("VERMAP_TAG_EXISTS", "there is a tag of that name");
      const { id } = await repository.run(repository.commits.get(commit));
      const { message, time = this.#clock() } = options;
      if (!Number.isSafeInteger(time) || time < 0)
        throw new RangeError(`time is ${time}, not microseconds since 1970`);
      const tag: Tag = { name, commit: id, time, ...(message === undefined ? {} : { message }) };
      await repository.write({
        anchors: [{ kind: AnchorKind.tag, name: key, to: tagAnchor(tag) }],
        ...syncOf(options),
      });
      return tag;
    });
  }

  /** A tag by its name, or nothing. */
  async get(name: string): Promise<Tag | undefined> {
    this.#repository.assertOpen();
    return findTag(this.#repository, name);
  }

  /** All tags, in the order of their names' bytes. */
  async list(): Promise<Tag[]> {
    this.#repository.assertOpen();
    const { keys, store } = this.#repository;
    const found: Tag[] = [];
    for await (const [key, value] of store.iterator(keys.anchors(AnchorKind.tag)))
      found.push(tagOf(keys.anchorOf(key)?.name ?? key, decodeAnchor(value)));
    return found;
  }

  /**
   * Removes a tag. What only it kept is collected.
   *
   * @returns whether there was one
   */
  delete(name: string, options: WriteOptions = {}): Promise<boolean> {
    return this.#repository.exclusive(async () => {
      if ((await this.get(name)) === undefined) return false;
      await this.#repository.write({
        anchors: [{ kind: AnchorKind.tag, name: encodeText(name), to: undefined }],
        ...syncOf(options),
      });
      return true;
    });
  }
}

/** The tags of a map. */
export function tags<K, V>(map: VerMap<K, V>): Tags {
  return makeTags(internalsOf(map));
}
