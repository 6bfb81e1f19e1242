import { type Codecs } from "../codec/codecs.ts";
import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { encodeText } from "../codec/text.ts";
import { VerMapError } from "../errors.ts";
import { type WriteOptions } from "../map/committing.ts";
import { internalsOf } from "../map/ver-map.ts";
import { syncOf } from "../map/working.ts";
import { AnchorKind, decodeAnchor } from "../records/anchor-record.ts";
import { readText, writeText } from "../records/record.ts";
import { type Repository } from "../repository/repository.ts";
import { type AnchorChange } from "../repository/write-plan.ts";
import { type BytesMap, NamedMap } from "./named-map.ts";

/** Codecs by the names of the maps. */
export interface NamedMapDefinitions {
  readonly [name: string]: Codecs<unknown, unknown>;
}

/** The maps by their names. */
export type NamedMaps<D extends NamedMapDefinitions> = {
  readonly [N in keyof D]: D[N] extends Codecs<infer K, infer V> ? NamedMap<K, V> : never;
};

/**
 * Opens several named maps that live in one map of bytes, so that they are branched, committed and merged together. The names of
 * their codecs are stored when they are opened for the first time.
 *
 * @param shared - opened with the codec `bytes` for keys and values; it should hold nothing else
 * @throws VerMapError VERMAP_FORMAT if one of them was made with other codecs; then none is stored
 * @throws TypeError if the map is not one of bytes
 */
export async function openNamedMaps<const D extends NamedMapDefinitions>(
  shared: BytesMap,
  definitions: D,
  options: WriteOptions = {},
): Promise<NamedMaps<D>> {
  const { repository, codecs } = internalsOf(shared);
  if (codecs.key.name !== "bytes" || codecs.value.name !== "bytes")
    throw new TypeError("named maps live in a map whose keys and values are bytes");
  const entries = Object.entries(definitions);
  await repository.exclusive(async () => {
    const anchors: AnchorChange[] = [];
    for (const [name, wanted] of entries)
      if (!(await isKnown(repository, name, wanted))) anchors.push(settingOf(name, wanted));
    if (anchors.length > 0) await repository.write({ anchors, ...syncOf(options) });
  });
  const maps = Object.fromEntries(entries.map(([name, own]) => [name, new NamedMap(name, own)]));
  return maps as { readonly [name: string]: unknown } as NamedMaps<D>;
}

/** Whether a map of that name is there, with those codecs. */
async function isKnown(
  { store, keys }: Repository,
  name: string,
  wanted: Codecs<unknown, unknown>,
): Promise<boolean> {
  const stored = await store.get(keys.anchor(AnchorKind.setting, encodeText(name)));
  if (stored === undefined) return false;
  const reader = new ByteReader(decodeAnchor(stored).payload, "VERMAP_CORRUPT", "a named map");
  const [key, value] = [readText(reader), readText(reader)];
  reader.end();
  if (key === wanted.key.name && value === wanted.value.name) return true;
  throw new VerMapError("VERMAP_FORMAT", "a named map was made with other codecs");
}

/** What is stored of a named map. Layout: FORMAT.md, "Named map". */
function settingOf(name: string, { key, value }: Codecs<unknown, unknown>): AnchorChange {
  const writer = new ByteWriter();
  writeText(writer, key.name);
  writeText(writer, value.name);
  return {
    kind: AnchorKind.setting,
    name: encodeText(name),
    to: { commits: [], roots: [], payload: writer.finish() },
  };
}
