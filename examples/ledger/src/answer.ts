import { encodePathProof } from "@x/jellyfish/verify";
import { balanceCodec, type Ledger } from "./ledger.ts";

/** What the server says of an account. The page believes none of it until the proof has been verified. */
export interface Answer {
  readonly account: string;
  /** The stored bytes in hexadecimal; absent: there is no such account. */
  readonly value?: string;
  /** Canonical bytes of a path proof, in hexadecimal. */
  readonly proof: string;
}

/** Value and proof of one account, both of the root that is asked for. */
export async function answer(ledger: Ledger, root: Uint8Array, account: string): Promise<Answer> {
  using view = ledger.at(root);
  const { value, proof } = await view.getWithProof(account);
  return {
    account,
    ...(value === undefined ? {} : { value: toHex(balanceCodec.encode(value)) }),
    proof: toHex(encodePathProof(proof, view.context.scheme)),
  };
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
