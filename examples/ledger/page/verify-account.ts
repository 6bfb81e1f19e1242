import { decodePathProof, jmtSha256, verifyExclusion, verifyInclusion } from "@x/jellyfish/verify";

/** What a root proves of an account. */
export type Verdict =
  | { readonly kind: "balance"; readonly balance: bigint }
  | { readonly kind: "no-account" };

/** What the server sends; nothing of it is trusted. */
export interface Answer {
  readonly value?: string;
  readonly proof: string;
}

/**
 * Decides what is true of an account under a trusted root.
 *
 * @param root - 32 bytes in hexadecimal, from somebody who is trusted
 * @throws an error with a code that says why the answer proves nothing
 */
export function verifyAccount(root: string, account: string, answer: Answer): Verdict {
  const scheme = jmtSha256();
  const claim = {
    scheme,
    root: fromHex(root),
    path: scheme.hashKey(new TextEncoder().encode(account)),
    proof: decodePathProof(fromHex(answer.proof), scheme),
  };
  if (answer.value === undefined) {
    verifyExclusion(claim);
    return { kind: "no-account" };
  }
  const bytes = verifyInclusion({ ...claim, value: fromHex(answer.value) });
  return { kind: "balance", balance: new DataView(bytes.buffer).getBigUint64(0) };
}

function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new SyntaxError("the text is not hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
