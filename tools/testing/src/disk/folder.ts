import { type Inode } from "./inode.ts";

/** A change of the folder that the medium may not have yet. A rename is one change: it happens or it does not. */
type EntryChange =
  | { readonly kind: "link"; readonly name: string; readonly inode: Inode }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly inode: Inode };

/** The names of the simulated disk: on the medium, on their way, and as readers see them. */
export class Folder {
  #durable: Map<string, Inode>;
  #visible: Map<string, Inode>;
  #pending: EntryChange[];

  constructor(
    durable: Map<string, Inode> = new Map(),
    visible: Map<string, Inode> = new Map(),
    pending: EntryChange[] = [],
  ) {
    this.#durable = durable;
    this.#visible = visible;
    this.#pending = pending;
  }

  get(name: string): Inode | undefined {
    return this.#visible.get(name);
  }

  names(): string[] {
    return [...this.#visible.keys()];
  }

  link(name: string, inode: Inode): void {
    this.#change({ kind: "link", name, inode });
  }

  unlink(name: string): void {
    this.#change({ kind: "unlink", name });
  }

  rename(from: string, to: string, inode: Inode): void {
    this.#change({ kind: "rename", from, to, inode });
  }

  /** A sync that worked. One that failed changes nothing: the entries stay pending. */
  settle(): void {
    for (const change of this.#pending) applyEntry(this.#durable, change);
    this.#pending = [];
  }

  /** Makes one entry as it is seen also the one on the medium, with nothing pending for it. */
  plant(name: string, inode: Inode | undefined): void {
    this.#pending = this.#pending.filter((change) => !touches(change, name));
    for (const names of [this.#durable, this.#visible]) {
      if (inode === undefined) names.delete(name);
      else names.set(name, inode);
    }
  }

  pendingCount(): number {
    return this.#pending.length;
  }

  /** Every inode that can still be reached, before or after a power cut. */
  inodes(): Set<Inode> {
    const inodes = new Set([...this.#durable.values(), ...this.#visible.values()]);
    for (const change of this.#pending) if (change.kind !== "unlink") inodes.add(change.inode);
    return inodes;
  }

  /** The same folder over other inodes. */
  map(inodes: ReadonlyMap<Inode, Inode>): Folder {
    return new Folder(
      mapNames(this.#durable, inodes),
      mapNames(this.#visible, inodes),
      this.#pending.map((change) =>
        change.kind === "unlink"
          ? change
          : { ...change, inode: inodes.get(change.inode) ?? change.inode },
      ),
    );
  }

  /** The names after a power cut in which only the chosen changes reached the medium. */
  crash(chosen: (index: number, count: number) => boolean): Map<string, Inode> {
    const names = new Map(this.#durable);
    for (const [i, change] of this.#pending.entries()) {
      if (chosen(i, this.#pending.length)) applyEntry(names, change);
    }
    return names;
  }

  #change(change: EntryChange): void {
    applyEntry(this.#visible, change);
    this.#pending.push(change);
  }
}

function applyEntry(names: Map<string, Inode>, change: EntryChange): void {
  switch (change.kind) {
    case "link":
      names.set(change.name, change.inode);
      return;
    case "unlink":
      names.delete(change.name);
      return;
    case "rename":
      names.delete(change.from);
      names.set(change.to, change.inode);
  }
}

function touches(change: EntryChange, name: string): boolean {
  return change.kind === "rename"
    ? change.from === name || change.to === name
    : change.name === name;
}

function mapNames(
  names: ReadonlyMap<string, Inode>,
  inodes: ReadonlyMap<Inode, Inode>,
): Map<string, Inode> {
  return new Map([...names].map(([name, inode]) => [name, inodes.get(inode) ?? inode]));
}
