/** Bytes of a file that LevelDB would not have written so. */
export class Damage extends Error {
  override readonly name = "Damage";
  /** Where, in bytes from the start of the file. */
  readonly offset: number;

  constructor(offset: number, reason: string) {
    super(reason);
    this.offset = offset;
  }
}
