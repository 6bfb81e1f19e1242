import type { ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import { ByteReader, ByteWriter } from "../wire.ts";
import { COMMITMENT_SIZE } from "./output.ts";

/** Bytes in a Schnorr signature. */
export const SIGNATURE_SIZE = 64;
/** Bytes of every kernel in the first version of the encoding, which is also what is hashed. */
export const KERNEL_V1_SIZE: number = 17 + COMMITMENT_SIZE + SIGNATURE_SIZE;

/** Version of the encoding of a kernel file. A file is of one version throughout; Grin writes the second since 2020. */
export type KernelVersion = 1 | 2;

/** What every kernel has. */
export interface KernelBase {
  /** {@link COMMITMENT_SIZE} bytes. */
  readonly excess: Uint8Array;
  /** {@link SIGNATURE_SIZE} bytes. */
  readonly signature: Uint8Array;
}

/** A transaction kernel. Fee fields are 64 bits: the lower 40 the fee, the next 4 its shift; see {@link splitFee}. */
export type Kernel = KernelBase &
  (
    | { readonly kind: "plain"; readonly feeFields: bigint }
    | { readonly kind: "coinbase" }
    | { readonly kind: "height-locked"; readonly feeFields: bigint; readonly lockHeight: bigint }
    | {
        readonly kind: "no-recent-duplicate";
        readonly feeFields: bigint;
        /** 0 … 65,535 blocks. */
        readonly relativeHeight: number;
      }
  );

/** Kinds by the byte that stands for them. */
const KINDS = ["plain", "coinbase", "height-locked", "no-recent-duplicate"] as const;
/** Bytes between the kind and the excess in the second version, by kind. The first version has 16 for all. */
const FIELDS_SIZE = [8, 0, 16, 10] as const;

/**
 * Elements of Grin's kernel range: stored in one of two versions, hashed in the first. Records are of variable size and
 * delimit themselves. Layout: FORMAT.md, "Kernel".
 *
 * `load` refuses with `PMMR_TRUNCATED`, `PMMR_NON_CANONICAL` (bytes after the end, or bytes that are not zero where the first
 * version has no field) or `PMMR_MALFORMED` (unknown kind).
 *
 * @param version - of the records. Default: 2
 * @throws RangeError if there is no such version
 */
export function kernelCodec(version: KernelVersion = 2): ElementCodec<Kernel> {
  if (version !== 1 && version !== 2) {
    throw new RangeError(`kernel version must be 1 or 2, got ${String(version)}`);
  }
  const store = version === 1 ? encodeV1 : encodeV2;
  return {
    store,
    hashForm: encodeV1,
    load: (record) => decode(record, version),
    recordSizeAt: (bytes, offset) => kernelSizeAt(bytes, offset, version),
    storedHashForm: encodeV1,
  };
}

/**
 * Which version a kernel data file is in, told by its structure: it is of the second version if it parses as exactly
 * `leaves` such records, else of the first if it is as long as so many of those.
 *
 * @param chunks - the bytes of the file in order, in pieces of any size; read once
 * @param leaves - kernels that the file must hold
 * @throws PmmrError `PMMR_DAMAGED` if it is neither
 */
export function detectKernelVersion(chunks: Iterable<Uint8Array>, leaves: number): KernelVersion {
  let end = 0;
  let next = 0;
  let records = 0;
  let known = true;
  for (const chunk of chunks) {
    const begin = end;
    end += chunk.length;
    while (known && next < end) {
      const fieldsSize = FIELDS_SIZE[chunk[next - begin] as number];
      known = fieldsSize !== undefined;
      next += 1 + (fieldsSize ?? 0) + COMMITMENT_SIZE + SIGNATURE_SIZE;
      records++;
    }
  }
  if (known && next === end && records === leaves) return 2;
  if (end === leaves * KERNEL_V1_SIZE) return 1;
  throw new PmmrError(
    "PMMR_DAMAGED",
    `kernel file of ${end} bytes holds ${leaves} kernels of neither version`,
  );
}

/** The fee of a kernel in nanogrin and the bits by which it is shifted to set its priority. Bits above are ignored, as in Grin. */
export function splitFee(feeFields: bigint): { readonly fee: number; readonly shift: number } {
  return { fee: Number(feeFields & 0xff_ffff_ffffn), shift: Number((feeFields >> 40n) & 0xfn) };
}

function kernelSizeAt(
  bytes: Uint8Array,
  offset: number,
  version: KernelVersion,
): number | undefined {
  const code = bytes[offset];
  if (code === undefined) return undefined;
  const fieldsSize = FIELDS_SIZE[code];
  if (fieldsSize === undefined) throw unknownKind(code);
  return version === 1 ? KERNEL_V1_SIZE : 1 + fieldsSize + COMMITMENT_SIZE + SIGNATURE_SIZE;
}

function encodeV2(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(KERNEL_V1_SIZE);
  writer.u8(KINDS.indexOf(kernel.kind));
  if (kernel.kind !== "coinbase") writer.u64big(kernel.feeFields);
  if (kernel.kind === "height-locked") writer.u64big(kernel.lockHeight);
  if (kernel.kind === "no-recent-duplicate") writer.u16(kernel.relativeHeight);
  writeEnd(writer, kernel);
  return writer.finish();
}

/** The second field is 64 bits wide for every kind, and zero where there is none. */
function encodeV1(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(KERNEL_V1_SIZE);
  writer.u8(KINDS.indexOf(kernel.kind));
  writer.u64big(kernel.kind === "coinbase" ? 0n : kernel.feeFields);
  if (kernel.kind === "no-recent-duplicate") {
    // Written as 16 bits here too, so that what does not fit them is refused.
    writer.bytes(new Uint8Array(6));
    writer.u16(kernel.relativeHeight);
  } else {
    writer.u64big(kernel.kind === "height-locked" ? kernel.lockHeight : 0n);
  }
  writeEnd(writer, kernel);
  return writer.finish();
}

function writeEnd(writer: ByteWriter, { excess, signature }: KernelBase): void {
  if (excess.length !== COMMITMENT_SIZE) {
    throw new RangeError(`excess must be ${COMMITMENT_SIZE} bytes, got ${excess.length}`);
  }
  if (signature.length !== SIGNATURE_SIZE) {
    throw new RangeError(`signature must be ${SIGNATURE_SIZE} bytes, got ${signature.length}`);
  }
  writer.bytes(excess);
  writer.bytes(signature);
}

function decode(record: Uint8Array, version: KernelVersion): Kernel {
  const reader = new ByteReader(record, "kernel");
  const code = reader.u8();
  const kind = KINDS[code];
  if (kind === undefined) throw unknownKind(code);
  const hasFee = version === 1 || kind !== "coinbase";
  const feeFields = hasFee ? reader.u64big() : 0n;
  const second = version === 1 ? reader.u64big() : readSecondV2(reader, kind);
  const excess = reader.bytes(COMMITMENT_SIZE);
  const signature = reader.bytes(SIGNATURE_SIZE);
  reader.finish();
  const end = { excess, signature };
  switch (kind) {
    case "coinbase":
      requireZero(feeFields | second);
      return { kind, ...end };
    case "plain":
      requireZero(second);
      return { kind, feeFields, ...end };
    case "height-locked":
      return { kind, feeFields, lockHeight: second, ...end };
    case "no-recent-duplicate":
      requireZero(second >> 16n);
      return { kind, feeFields, relativeHeight: Number(second), ...end };
  }
}

function readSecondV2(reader: ByteReader, kind: Kernel["kind"]): bigint {
  if (kind === "height-locked") return reader.u64big();
  return kind === "no-recent-duplicate" ? BigInt(reader.u16()) : 0n;
}

function requireZero(unused: bigint): void {
  if (unused !== 0n) {
    throw new PmmrError(
      "PMMR_NON_CANONICAL",
      "kernel: a field that its kind does not have is not zero",
    );
  }
}

function unknownKind(code: number): PmmrError {
  return new PmmrError("PMMR_MALFORMED", `kernel: kind is ${code}, want 0 to 3`);
}
