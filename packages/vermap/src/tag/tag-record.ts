import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { encodeText } from "../codec/text.ts";
import { VerMapError } from "../errors.ts";
import { type Anchor, AnchorKind, decodeAnchor } from "../records/anchor-record.ts";
import { readText, textOf, writeText } from "../records/record.ts";
import { type Repository } from "../repository/repository.ts";

/** A name for a commit, which keeps it. */
export interface Tag {
  readonly name: string;
  readonly commit: number;
  /** Microseconds since 1970: when it was set. */
  readonly time: number;
  readonly message?: string;
}

/** The anchor of a tag. Its name is in the key. Layout: FORMAT.md, "Tag". */
export function tagAnchor({ commit, time, message }: Tag): Anchor {
  const writer = new ByteWriter();
  writer.varint(time);
  writer.u8(message === undefined ? 0 : 1);
  if (message !== undefined) writeText(writer, message);
  return { commits: [commit], roots: [], payload: writer.finish() };
}

/** @throws VerMapError VERMAP_CORRUPT */
export function tagOf(name: Uint8Array, { commits, roots, payload }: Anchor): Tag {
  const reader = new ByteReader(payload, "VERMAP_CORRUPT", "a tag");
  const [commit] = commits;
  if (commit === undefined || commits.length > 1 || roots.length > 0)
    throw reader.damage(`${commits.length} commits and ${roots.length} trees`);
  const time = reader.varint();
  const { offset } = reader;
  const flag = reader.u8();
  if (flag > 1) throw reader.damage(`the flag ${flag}`, offset);
  const message = flag === 0 ? {} : { message: readText(reader) };
  reader.end();
  return { name: nameOf(name), commit, time, ...message };
}

/** @throws VerMapError VERMAP_TAG_NOT_FOUND, VERMAP_CORRUPT */
export async function readTag(repository: Repository, name: string): Promise<Tag> {
  const tag = await findTag(repository, name);
  if (tag === undefined)
    throw new VerMapError("VERMAP_TAG_NOT_FOUND", "there is no tag of that name");
  return tag;
}

export async function findTag({ store, keys }: Repository, name: string): Promise<Tag | undefined> {
  const key = encodeText(name);
  const bytes = await store.get(keys.anchor(AnchorKind.tag, key));
  return bytes === undefined ? undefined : tagOf(key, decodeAnchor(bytes));
}

function nameOf(bytes: Uint8Array): string {
  return textOf(new ByteReader(bytes, "VERMAP_CORRUPT", "the name of a tag"), bytes.length);
}
