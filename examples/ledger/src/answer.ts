import { getWithProof } from "@x/jellyfish";
import { encodePathProof } from "@x/jellyfish/verify";
import { runSync } from "@x/store";
import { type Ledger } from "./ledger.ts";

/** What the server says of an account. The page believes none of it until the proof has been verified. */
export interface Answer {
  readonly account: string;
  /** The stored bytes in hexadecimal; absent: there is no such account. */
  readonly value?: string;
  /** Canonical bytes of a path proof, in hexadecimal. */
  readonly proof: string;
}

/** Value and proof of one account, both of the root that is asked for. */
export function answer(ledger: Ledger, root: Uint8Array, account: string): Answer {
  using view = ledger.at(root);
  const reading = getWithProof(view.context, view.root, view.pathOf(account));
  const { value, proof } = runSync(reading, view.store);
  return {
    account,
    ...(value === undefined ? {} : { value: toHex(value) }),
    proof: toHex(encodePathProof(proof, view.context.scheme)),
  };
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
