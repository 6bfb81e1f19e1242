import {
  FileGroup,
  type FileSystem,
  type GroupLayout,
  type GroupOptions,
} from "../../src/index.ts";

/** One append file of 4-byte records and one blob, whose owner keeps a list of byte values. */
export class SmallGroup {
  readonly group: FileGroup;
  readonly #values: { list: readonly number[] };

  private constructor(group: FileGroup, values: { list: readonly number[] }) {
    this.group = group;
    this.#values = values;
  }

  static async open(
    fs: FileSystem,
    options: GroupOptions = {},
    more: Partial<GroupLayout> = {},
  ): Promise<SmallGroup> {
    const values = { list: [] as readonly number[] };
    const group = await FileGroup.open(fs, { ...smallLayout(values), ...more }, options);
    return new SmallGroup(group, values);
  }

  /** What the blob's owner holds. */
  get values(): readonly number[] {
    return this.#values.list;
  }

  /** Appends one record of four equal bytes. */
  append(value: number, count = 1): this {
    this.#file.append(new Uint8Array(4 * count).fill(value));
    return this;
  }

  rewind(records: number): this {
    this.#file.rewind(4 * records);
    return this;
  }

  /** First byte of each record. */
  get records(): number[] {
    const bytes = this.#file.read(0, this.#file.size);
    return [...bytes].filter((_, i) => i % 4 === 0);
  }

  /** Commits what is pending; `value` is added to the blob. */
  async commit(
    how: { readonly value?: number; readonly sync?: boolean; readonly meta?: number } = {},
  ): Promise<void> {
    const { value, sync = true, meta = 0 } = how;
    const before = this.#values.list;
    const list = value === undefined ? before : [...before, value];
    this.#values.list = list;
    try {
      await this.group.commit({
        meta: Uint8Array.of(meta),
        blobs: [
          value === undefined
            ? undefined
            : { delta: Uint8Array.of(value), content: () => Uint8Array.from(list) },
        ],
        sync,
      });
    } catch (error) {
      if (this.#values.list === list) this.#values.list = before;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.group.close();
  }

  get #file(): FileGroup["files"][number] {
    const [file] = this.group.files;
    if (file === undefined) throw new Error("the group has a file");
    return file;
  }
}

/** The layout, with the owner's state in `values`. */
export function smallLayout(values: { list: readonly number[] }): GroupLayout {
  return {
    prefix: "s",
    files: [{ name: "s.bin", recordSize: 4 }],
    blobs: [
      {
        name: "s.blob",
        restore: (bytes, deltas) => {
          const list = [...(bytes ?? []), ...deltas.flatMap((delta) => [...delta])];
          values.list = list;
          return () => Uint8Array.from(list);
        },
      },
    ],
  };
}

/** What the journal, the file and the blob are called. */
export const JOURNAL = "s_journal.bin";
