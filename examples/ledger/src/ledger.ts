import { type Codec, JellyfishTree, type MetricsHook, utf8Codec } from "@x/jellyfish";
import { open, type SyncLevelStore } from "@x/store-level";

/** Balances by the name of an account, in the smallest unit of the currency. */
export type Ledger = JellyfishTree<string, bigint, SyncLevelStore>;

/** Eight bytes, big-endian. */
export const balanceCodec: Codec<bigint> = {
  encode(balance) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, balance);
    return bytes;
  },
  decode: (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0),
};

/** Opens the ledger of a folder, and makes an empty one where there is none. The last ten roots stay readable. */
export async function openLedger(folder: string, metrics?: MetricsHook): Promise<Ledger> {
  const store = await open(folder);
  return JellyfishTree.open<string, bigint, SyncLevelStore>(store, {
    keyCodec: utf8Codec,
    valueCodec: balanceCodec,
    history: 10,
    ...(metrics === undefined ? {} : { metrics }),
  });
}

/** The name of the account with this number. */
export function accountName(index: number): string {
  return `account-${String(index).padStart(7, "0")}`;
}

/** What an account is opened with. */
export function openingBalance(index: number): bigint {
  return BigInt(index) * 7_919n + 100n;
}

const BATCH_SIZE = 10_000;

/** Opens accounts up to a number; goes on where an earlier call was interrupted. */
export async function openAccounts(
  ledger: Ledger,
  count: number,
  onProgress: (done: number) => void = () => {},
): Promise<void> {
  for (let begin = ledger.size; begin < count; begin = ledger.size) {
    const size = Math.min(BATCH_SIZE, count - begin);
    await ledger.batch(
      Array.from({ length: size }, (_, i) => ({
        type: "put" as const,
        key: accountName(begin + i),
        value: openingBalance(begin + i),
      })),
    );
    onProgress(ledger.size);
  }
}

/**
 * Moves money, as one atomic update. It reads before it writes, so transfers are made one after another: await each.
 *
 * @throws RangeError if an account does not exist, or has too little
 */
export async function transfer(
  ledger: Ledger,
  from: string,
  to: string,
  amount: bigint,
): Promise<void> {
  const [source, target] = await ledger.getMany([from, to]);
  if (source === undefined || target === undefined) throw new RangeError("no such account");
  if (amount <= 0n || amount > source) throw new RangeError("the account has too little");
  if (from === to) return;
  await ledger.batch([
    { type: "put", key: from, value: source - amount },
    { type: "put", key: to, value: target + amount },
  ]);
}
