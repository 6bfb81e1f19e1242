/** Names of the files a group adds for itself. Table: FORMAT.md, "Files". */

/** The header and the records. */
export function journalName(prefix: string): string {
  return `${prefix}_journal.bin`;
}

/** The next journal, until it is renamed. */
export function journalNextName(prefix: string): string {
  return `${prefix}_journal.tmp`;
}

/** The content `name` has from `generation` on, until it is renamed. */
export function sideName(prefix: string, generation: number, name: string): string {
  return `${prefix}_next.${generation}.${name}`;
}

/** Old bytes that a running copy still has to deliver. */
export function savedName(prefix: string, number: number): string {
  return `${prefix}_saved.${number}`;
}

/** The single-writer lock. */
export function lockName(prefix: string): string {
  return `${prefix}_lock`;
}

/** Whether a name is one of the group's own, or could be. */
export function isOwnName(prefix: string, name: string): boolean {
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^_(?:journal\.(?:bin|tmp)|lock(?:\..*)?|next\..*|saved\..*)$/.test(rest);
}

/** Whether a name is one that only an interrupted run can have left behind. */
export function isLeftover(prefix: string, name: string): boolean {
  return (
    name === journalNextName(prefix) ||
    name.startsWith(`${prefix}_next.`) ||
    name.startsWith(`${prefix}_saved.`)
  );
}
