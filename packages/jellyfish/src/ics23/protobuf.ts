import { type Bytes } from "@x/store";
import { concatBytes } from "@x/hash";
import { asciiBytes } from "../scheme/ascii.ts";
import { ICS23_SPEC, type Ics23Existence, type Ics23InnerOp, type Ics23Proof } from "./proof.ts";

/**
 * The `CommitmentProof` message of a proof, in protobuf: fields ascending, defaults left out.
 *
 * @returns fresh bytes
 * @see FORMAT.md, "ICS23"
 */
export function encodeIcs23Proof(proof: Ics23Proof): Bytes {
  if (proof.kind === "existence") return field(1, existence(proof.existence));
  const { key, left, right } = proof.nonexistence;
  const message = [field(1, key)];
  if (left !== undefined) message.push(field(2, existence(left)));
  if (right !== undefined) message.push(field(3, existence(right)));
  return field(2, concatBytes(message));
}

/** `ExistenceProof`. */
function existence({ key, value, path }: Ics23Existence): Bytes {
  const { hash, prehashKey, prehashValue, prefix } = ICS23_SPEC.leafSpec;
  // `LeafOp`; a length of 0, no prefix, is the default.
  const leaf = [
    enumeration(1, hash),
    enumeration(2, prehashKey),
    enumeration(3, prehashValue),
    field(5, asciiBytes(prefix)),
  ];
  return concatBytes([
    field(1, key),
    field(2, value),
    field(3, concatBytes(leaf)),
    ...path.map((step) => field(4, innerOp(step))),
  ]);
}

/** `InnerOp`. */
function innerOp({ prefix, suffix }: Ics23InnerOp): Bytes {
  const message = [enumeration(1, ICS23_SPEC.innerSpec.hash), field(2, prefix)];
  if (suffix.length > 0) message.push(field(3, suffix));
  return concatBytes(message);
}

/** A field of bytes: its number with wire type 2, the length, the bytes. */
function field(number: number, bytes: Uint8Array): Bytes {
  const header = [number * 8 + 2];
  let length = bytes.length;
  for (; length >= 128; length = Math.floor(length / 128)) header.push((length % 128) + 128);
  header.push(length);
  return concatBytes([Uint8Array.from(header), bytes]);
}

/** A field of a small number: wire type 0. */
function enumeration(number: number, value: number): Bytes {
  return Uint8Array.of(number * 8, value);
}
