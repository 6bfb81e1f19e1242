import { readFileSync } from "node:fs";
import { fromHex, toHex } from "@x/hash";
import { Random, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { ElementCodec } from "../../src/codec.ts";
import {
  type HeaderElement,
  decodeHeader,
  encodeHeader,
  encodeHeaderPreimage,
  HEADER_PREIMAGE_SIZE,
  headerCodec,
  headerElement,
  headerHash,
  packNonces,
  type SolvedHeader,
  unpackNonces,
} from "../../src/grin/header.ts";
import {
  type Kernel,
  KERNEL_V1_SIZE,
  type KernelVersion,
  detectKernelVersion,
  kernelCodec,
  splitFee,
} from "../../src/grin/kernel.ts";
import { archiveEntries } from "../../src/grin/layout.ts";
import { outputCodec, type OutputIdentifier } from "../../src/grin/output.ts";
import { rangeProofCodec } from "../../src/grin/range-proof.ts";
import { MemoryBackend } from "../../src/memory-backend.ts";
import { Pmmr } from "../../src/pmmr.ts";
import { fuzz } from "../fuzz.ts";
import { codeOf } from "../support.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

type Genesis = Readonly<
  Record<
    | "outputIdentifier"
    | "outputRoot"
    | "rangeProofStored"
    | "rangeProofRoot"
    | "kernelHashForm"
    | "kernelStoredV1"
    | "kernelStoredV2"
    | "kernelRoot"
    | "packedProof"
    | "headerHash"
    | "headerMmrLeaf0",
    string
  >
>;
const { genesis }: { readonly genesis: { readonly mainnet: Genesis; readonly testnet: Genesis } } =
  JSON.parse(readFileSync(new URL("../vectors/pmmr.json", import.meta.url), "utf8"));
const NETWORKS = [
  ["mainnet", genesis.mainnet],
  ["testnet", genesis.testnet],
] as const;

const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const end = { excess: bytesOf(33), signature: bytesOf(64) };
const kernel: fc.Arbitrary<Kernel> = fc.oneof(
  fc.record({ kind: fc.constant("plain" as const), feeFields: u64, ...end }),
  fc.record({ kind: fc.constant("coinbase" as const), ...end }),
  fc.record({
    kind: fc.constant("height-locked" as const),
    feeFields: u64,
    lockHeight: u64,
    ...end,
  }),
  fc.record({
    kind: fc.constant("no-recent-duplicate" as const),
    feeFields: u64,
    relativeHeight: fc.nat(65_535),
    ...end,
  }),
);
const output: fc.Arbitrary<OutputIdentifier> = fc.record({
  features: fc.constantFrom("plain", "coinbase"),
  commitment: bytesOf(33),
});

/** Root of a range of one element. */
function rootOf<E, S>(codec: ElementCodec<E, S>, element: E): string {
  const pmmr = new Pmmr(new MemoryBackend({ codec }));
  pmmr.push(element);
  return toHex(pmmr.root());
}

const recordsOf = <E, S>(codec: ElementCodec<E, S>, elements: readonly E[]): Uint8Array[] =>
  elements.map((element) => codec.store(element));

/** @yields the bytes in pieces of these lengths, then the rest */
function* pieces(
  bytes: Uint8Array,
  lengths: readonly number[],
): Generator<Uint8Array, void, undefined> {
  let offset = 0;
  for (const length of lengths) {
    yield bytes.subarray(offset, (offset += length));
  }
  yield bytes.subarray(offset);
}

function fileOf(kernels: readonly Kernel[], version: KernelVersion): Uint8Array {
  const codec = kernelCodec(version);
  return Uint8Array.from(kernels.flatMap((one) => [...codec.store(one)]));
}

describe("the genesis blocks", () => {
  test.each(NETWORKS)("%s: the roots that its header commits to", (_, block) => {
    const identifier = outputCodec.load(fromHex(block.outputIdentifier));
    expect(identifier.features).toBe("coinbase");
    expect(rootOf(outputCodec, identifier)).toBe(block.outputRoot);
    const proof = rangeProofCodec.load(fromHex(block.rangeProofStored));
    expect(proof.length).toBe(675);
    expect(rootOf(rangeProofCodec, proof)).toBe(block.rangeProofRoot);
    for (const version of [1, 2] as const) {
      const codec = kernelCodec(version);
      const loaded = codec.load(
        fromHex(version === 1 ? block.kernelStoredV1 : block.kernelStoredV2),
      );
      expect(loaded.kind).toBe("coinbase");
      expect(toHex(codec.hashForm(loaded))).toBe(block.kernelHashForm);
      expect(rootOf(codec, loaded)).toBe(block.kernelRoot);
    }
  });

  test.each(NETWORKS)("%s: header hash and header leaf", (_, block) => {
    const packedNonces = fromHex(block.packedProof);
    expect(toHex(headerHash(packedNonces))).toBe(block.headerHash);
    // 42 nonces of 29 bits.
    const nonces = unpackNonces(packedNonces, 29, 42);
    expect(nonces).toEqual(nonces.toSorted((a, b) => a - b));
    expect(packNonces(nonces, 29)).toEqual(packedNonces);
    const entry = {
      hash: headerHash(packedNonces),
      timestamp: 0,
      totalDifficulty: 1n,
      secondaryScaling: 1,
      isSecondary: true,
    };
    expect(rootOf(headerCodec, { entry, packedNonces })).toBe(block.headerMmrLeaf0);
  });
});

describe("outputs and range proofs", () => {
  test("come back as they were, and are hashed as they are stored", () => {
    fc.assert(
      fc.property(output, bytesOf(675), (identifier, proof) => {
        const record = outputCodec.store(identifier);
        expect(record.length).toBe(outputCodec.recordSize);
        expect(outputCodec.load(record)).toEqual(identifier);
        expect(outputCodec.hashForm(identifier)).toEqual(record);
        expect(outputCodec.storedHashForm(identifier)).toEqual(record);
        const proofRecord = rangeProofCodec.store(proof);
        expect(proofRecord.length).toBe(rangeProofCodec.recordSize);
        expect(rangeProofCodec.load(proofRecord)).toEqual(proof);
        expect(rangeProofCodec.hashForm(proof)).toEqual(proofRecord);
        expect(rangeProofCodec.storedHashForm(proof)).toEqual(proofRecord);
      }),
      { numRuns: 30 },
    );
  });

  test("what was loaded does not change with the record", () => {
    const record = fromHex(genesis.mainnet.outputIdentifier);
    const loaded = outputCodec.load(record);
    record.fill(0);
    expect(toHex(outputCodec.store(loaded))).toBe(genesis.mainnet.outputIdentifier);
  });

  test("records that the encoder would not write are refused", () => {
    const record = fromHex(genesis.mainnet.outputIdentifier);
    expect(codeOf(() => outputCodec.load(record.slice(0, 33)))).toBe("PMMR_TRUNCATED");
    expect(codeOf(() => outputCodec.load(record.with(0, 2)))).toBe("PMMR_MALFORMED");
    const longer = new Uint8Array([...record, 0]);
    expect(codeOf(() => outputCodec.load(longer))).toBe("PMMR_NON_CANONICAL");
    const proof = fromHex(genesis.mainnet.rangeProofStored);
    expect(codeOf(() => rangeProofCodec.load(proof.with(7, 0xa2)))).toBe("PMMR_MALFORMED");
    expect(codeOf(() => rangeProofCodec.load(proof.with(0, 1)))).toBe("PMMR_OUT_OF_RANGE");
    expect(codeOf(() => rangeProofCodec.load(proof.slice(0, 682)))).toBe("PMMR_TRUNCATED");
  });

  test("elements of another length are the caller's mistake", () => {
    const commitment = new Uint8Array(32);
    expect(() => outputCodec.store({ features: "plain", commitment })).toThrow(RangeError);
    expect(() => rangeProofCodec.store(new Uint8Array(674))).toThrow(RangeError);
    const unknown = { features: "burnt" as "plain", commitment: new Uint8Array(33) };
    expect(() => outputCodec.store(unknown)).toThrow(RangeError);
    expect(() => outputCodec.hashForm(unknown)).toThrow(RangeError);
  });
});

describe("kernels", () => {
  test("come back as they were in both versions, and are hashed in the first", () => {
    fc.assert(
      fc.property(kernel, (one) => {
        const [v1, v2] = [kernelCodec(1), kernelCodec()];
        for (const codec of [v1, v2]) {
          const record = codec.store(one);
          expect(codec.load(record)).toEqual(one);
          expect(codec.recordSizeAt?.(record, 0)).toBe(record.length);
          expect(codec.hashForm(one)).toEqual(v1.store(one));
          expect(codec.storedHashForm(one)).toEqual(v1.store(one));
        }
        expect(v1.store(one).length).toBe(KERNEL_V1_SIZE);
      }),
    );
  });

  test("the layouts are those of Grin", () => {
    const excess = new Uint8Array(33).fill(0xee);
    const signature = new Uint8Array(64).fill(0x55);
    const tail = "ee".repeat(33) + "55".repeat(64);
    const fee = "0000000000abcdef";
    const feeFields = 0xabcdefn;
    const zero = "00".repeat(8);
    const cases: readonly (readonly [Kernel, v2: string, v1: string])[] = [
      [{ kind: "plain", feeFields, excess, signature }, `00${fee}`, `00${fee}${zero}`],
      [{ kind: "coinbase", excess, signature }, "01", `01${zero}${zero}`],
      [
        { kind: "height-locked", feeFields, lockHeight: 258n, excess, signature },
        `02${fee}0000000000000102`,
        `02${fee}0000000000000102`,
      ],
      [
        { kind: "no-recent-duplicate", feeFields, relativeHeight: 258, excess, signature },
        `03${fee}0102`,
        `03${fee}0000000000000102`,
      ],
    ];
    expect(cases.map(([one]) => kernelCodec(2).store(one).length)).toEqual([106, 98, 114, 108]);
    for (const [one, v2, v1] of cases) {
      expect(toHex(kernelCodec(2).store(one))).toBe(v2 + tail);
      expect(toHex(kernelCodec(1).store(one))).toBe(v1 + tail);
    }
  });

  test("have two versions and no other", () => {
    for (const wrong of [0, 3, 1.5, "1", null]) {
      expect(() => kernelCodec(wrong as never)).toThrow(RangeError);
    }
  });

  test("records that the encoder would not write are refused", () => {
    const v1 = fromHex(genesis.mainnet.kernelStoredV1);
    const v2 = fromHex(genesis.mainnet.kernelStoredV2);
    const one = kernelCodec(1);
    const two = kernelCodec(2);
    expect(codeOf(() => two.load(v2.with(0, 4)))).toBe("PMMR_MALFORMED");
    expect(codeOf(() => two.load(v1))).toBe("PMMR_NON_CANONICAL");
    expect(codeOf(() => one.load(v2))).toBe("PMMR_TRUNCATED");
    expect(codeOf(() => two.load(new Uint8Array(0)))).toBe("PMMR_TRUNCATED");
    // A fee of a coinbase, and a second field of kinds that have none or a shorter one.
    expect(codeOf(() => one.load(v1.with(8, 1)))).toBe("PMMR_NON_CANONICAL");
    for (const kind of [0, 1]) {
      expect(codeOf(() => one.load(v1.with(0, kind).with(16, 1)))).toBe("PMMR_NON_CANONICAL");
    }
    expect(codeOf(() => one.load(v1.with(0, 3).with(14, 1)))).toBe("PMMR_NON_CANONICAL");
    expect(codeOf(() => one.load(v1.with(0, 3).with(15, 1)))).toBe("none");
    expect(codeOf(() => two.recordSizeAt?.(Uint8Array.of(9), 0))).toBe("PMMR_MALFORMED");
    expect(two.recordSizeAt?.(v2, v2.length)).toBeUndefined();
  });

  test("numbers and lengths that do not fit are the caller's mistake", () => {
    const excess = new Uint8Array(33);
    const signature = new Uint8Array(64);
    const wrong: Kernel[] = [
      { kind: "coinbase", excess: new Uint8Array(32), signature },
      { kind: "coinbase", excess, signature: new Uint8Array(65) },
      { kind: "plain", feeFields: -1n, excess, signature },
      { kind: "plain", feeFields: 2n ** 64n, excess, signature },
      { kind: "height-locked", feeFields: 0n, lockHeight: 2n ** 64n, excess, signature },
      { kind: "no-recent-duplicate", feeFields: 0n, relativeHeight: 65_536, excess, signature },
    ];
    for (const one of wrong) {
      for (const version of [1, 2] as const) {
        expect(() => kernelCodec(version).store(one)).toThrow(RangeError);
      }
    }
  });

  test("a fee is 40 bits, its shift the next four", () => {
    expect(splitFee((5n << 40n) | 0xabcden)).toEqual({ fee: 0xabcde, shift: 5 });
    expect(splitFee(2n ** 64n - 1n)).toEqual({ fee: 2 ** 40 - 1, shift: 15 });
  });
});

describe("the version of a kernel file", () => {
  test("is told by structure, however the file is read", () => {
    fc.assert(
      fc.property(
        fc.array(kernel, { maxLength: 8 }),
        fc.array(fc.nat(150), { maxLength: 8 }),
        (kernels, lengths) => {
          const second = fileOf(kernels, 2);
          expect(detectKernelVersion(pieces(second, lengths), kernels.length)).toBe(2);
          const first = fileOf(kernels, 1);
          // Where both are the same bytes, either answer would do.
          const expected = toHex(first) === toHex(second) ? 2 : 1;
          expect(detectKernelVersion(pieces(first, lengths), kernels.length)).toBe(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("is refused if it is neither", () => {
    const kernels = fc.sample(kernel, { numRuns: 3, seed: 1 });
    for (const version of [1, 2] as const) {
      const file = fileOf(kernels, version);
      for (const [bytes, leaves] of [
        [file, 2],
        [file, 4],
        [file.subarray(1), 3],
        [file.subarray(0, -1), 3],
        [new Uint8Array(0), 1],
      ] as const) {
        expect(codeOf(() => detectKernelVersion([bytes], leaves))).toBe("PMMR_DAMAGED");
      }
    }
  });
});

describe("headers", () => {
  const hash = bytesOf(32);
  const solved: fc.Arbitrary<SolvedHeader> = fc
    .record({
      version: fc.nat(65_535),
      height: fc.maxSafeNat(),
      timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      previousHash: hash,
      previousRoot: hash,
      outputRoot: hash,
      rangeProofRoot: hash,
      kernelRoot: hash,
      totalKernelOffset: hash,
      outputMmrSize: fc.maxSafeNat(),
      kernelMmrSize: fc.maxSafeNat(),
      totalDifficulty: u64,
      secondaryScaling: fc.nat(2 ** 32 - 1),
      nonce: u64,
      edgeBits: fc.integer({ min: 1, max: 53 }),
      nonces: fc.array(fc.maxSafeNat(), { minLength: 8, maxLength: 8 }),
    })
    .map(({ nonces, ...header }) => {
      const fitting = nonces.map((nonce) => nonce % 2 ** header.edgeBits);
      return Object.assign(header, { packedNonces: packNonces(fitting, header.edgeBits) });
    });

  test("come back as they were; what is solved for comes first", () => {
    fc.assert(
      fc.property(solved, (header) => {
        const bytes = encodeHeader(header);
        expect(decodeHeader(bytes, 8)).toEqual(header);
        expect(bytes.slice(0, HEADER_PREIMAGE_SIZE)).toEqual(encodeHeaderPreimage(header));
      }),
    );
  });

  test("what the encoder would not write is refused", () => {
    const [header] = fc.sample(solved, { numRuns: 1, seed: 3 }) as [SolvedHeader];
    const bytes = encodeHeader({ ...header, edgeBits: 10, packedNonces: new Uint8Array(10) });
    expect(codeOf(() => decodeHeader(bytes, 8))).toBe("none");
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeHeader(bytes.subarray(0, length), 8))).toBe("PMMR_TRUNCATED");
    }
    expect(codeOf(() => decodeHeader(new Uint8Array([...bytes, 0]), 8))).toBe("PMMR_NON_CANONICAL");
    for (const edgeBits of [0, 54, 255]) {
      expect(codeOf(() => decodeHeader(bytes.with(HEADER_PREIMAGE_SIZE, edgeBits), 8))).toBe(
        "PMMR_MALFORMED",
      );
    }
    // 7 nonces of 10 bits leave two bits over.
    const shorter = bytes.slice(0, -1);
    expect(codeOf(() => decodeHeader(shorter, 7))).toBe("none");
    shorter[shorter.length - 1] = 0x40;
    expect(codeOf(() => decodeHeader(shorter, 7))).toBe("PMMR_NON_CANONICAL");
    expect(codeOf(() => unpackNonces(new Uint8Array(9), 10, 8))).toBe("PMMR_MALFORMED");
  });

  test("nonces fill bytes from the least significant bit", () => {
    expect(toHex(packNonces([1, 2, 3], 4))).toBe("2103");
    expect(toHex(packNonces([0x3ff, 0], 10))).toBe("ff0300");
    expect(unpackNonces(fromHex("ff0300"), 10, 2)).toEqual([0x3ff, 0]);
    expect(packNonces([2 ** 53 - 1], 53)).toEqual(fromHex("ffffffffffff1f"));
  });

  test("nonces and counts that do not fit are the caller's mistake", () => {
    for (const nonce of [-1, 0.5, 1024]) expect(() => packNonces([nonce], 10)).toThrow(RangeError);
    for (const edgeBits of [0, 54, 1.5])
      expect(() => packNonces([0], edgeBits)).toThrow(RangeError);
    for (const count of [0, 65_536]) {
      expect(() => unpackNonces(new Uint8Array(0), 10, count)).toThrow(RangeError);
    }
  });

  test("headers may be read into one buffer after the other while they are pushed", () => {
    const entry = { hash: new Uint8Array(32), timestamp: 0, secondaryScaling: 0 };
    const rest = { totalDifficulty: 0n, isSecondary: false };
    const packedNonces = new Uint8Array(10);
    function* read(): Generator<HeaderElement> {
      for (let i = 0; i < 5; i++)
        yield { entry: { ...entry, ...rest }, packedNonces: packedNonces.fill(i) };
    }
    const together = new Pmmr(new MemoryBackend({ codec: headerCodec }));
    together.pushMany(read());
    const single = new Pmmr(new MemoryBackend({ codec: headerCodec }));
    for (const element of read()) single.push(element);
    expect(together.root()).toEqual(single.root());
  });

  test("the range stores the entry and hashes the nonces", () => {
    fc.assert(
      fc.property(solved, fc.boolean(), (one, isSecondary) => {
        const header = { ...one, timestamp: BigInt.asUintN(52, one.timestamp) };
        const element: HeaderElement = headerElement(header, isSecondary);
        const record = headerCodec.store(element);
        expect(record.length).toBe(headerCodec.recordSize);
        expect(headerCodec.load(record)).toEqual(element.entry);
        expect(headerCodec.hashForm(element)).toEqual(header.packedNonces);
        expect(headerCodec.storedHashForm(element.entry)).toBeUndefined();
        expect(element.entry.hash).toEqual(headerHash(header.packedNonces));
      }),
      { numRuns: 30 },
    );
  });

  test("entries that the encoder would not write are refused", () => {
    const record = new Uint8Array(53);
    expect(codeOf(() => headerCodec.load(record))).toBe("none");
    expect(codeOf(() => headerCodec.load(record.with(52, 2)))).toBe("PMMR_NON_CANONICAL");
    expect(codeOf(() => headerCodec.load(record.with(32, 1)))).toBe("PMMR_OUT_OF_RANGE");
    expect(codeOf(() => headerCodec.load(record.slice(1)))).toBe("PMMR_TRUNCATED");
  });

  test("a state archive has ten entries, two of them named after the block", () => {
    const names = archiveEntries(fromHex(genesis.mainnet.headerHash));
    expect(names.length).toBe(10);
    expect(names.slice(8)).toEqual([
      "output/pmmr_leaf.bin.40adad0aec27",
      "rangeproof/pmmr_leaf.bin.40adad0aec27",
    ]);
    expect(() => archiveEntries(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe("T-FUZZ", () => {
  const sampleKernels = fc.sample(kernel, { numRuns: 8, seed: 2 });
  const headerRecord = headerCodec.store({
    packedNonces: new Uint8Array(10),
    entry: {
      hash: new Uint8Array(32).fill(3),
      timestamp: 870_652_800,
      totalDifficulty: 3n,
      secondaryScaling: 1,
      isSecondary: false,
    },
  });
  const packedNonces = packNonces([1, 2, 3, 4, 5, 6, 7, 1023], 10);
  const header: SolvedHeader = {
    version: 5,
    height: 1,
    timestamp: 870_652_800n,
    previousHash: new Uint8Array(32),
    previousRoot: new Uint8Array(32),
    outputRoot: new Uint8Array(32),
    rangeProofRoot: new Uint8Array(32),
    kernelRoot: new Uint8Array(32),
    totalKernelOffset: new Uint8Array(32),
    outputMmrSize: 1,
    kernelMmrSize: 1,
    totalDifficulty: 1n,
    secondaryScaling: 1,
    nonce: 7n,
    edgeBits: 10,
    packedNonces,
  };

  test.each([
    {
      name: "output",
      valid: [fromHex(genesis.mainnet.outputIdentifier)],
      run: (input: Uint8Array) => outputCodec.store(outputCodec.load(input)),
    },
    {
      name: "range proof",
      valid: [fromHex(genesis.mainnet.rangeProofStored)],
      run: (input: Uint8Array) => rangeProofCodec.store(rangeProofCodec.load(input)),
    },
    {
      name: "kernel of version 1",
      valid: recordsOf(kernelCodec(1), sampleKernels),
      run: (input: Uint8Array) => kernelCodec(1).store(kernelCodec(1).load(input)),
    },
    {
      name: "kernel of version 2",
      valid: recordsOf(kernelCodec(2), sampleKernels),
      run: (input: Uint8Array) => kernelCodec(2).store(kernelCodec(2).load(input)),
    },
    {
      name: "header entry",
      valid: [headerRecord],
      run: (input: Uint8Array) =>
        headerCodec.store({ entry: headerCodec.load(input), packedNonces: new Uint8Array(1) }),
    },
    {
      name: "header",
      valid: [encodeHeader(header)],
      run: (input: Uint8Array) => encodeHeader(decodeHeader(input, 8)),
    },
  ])("$name: the package's error, or a value that encodes to the input", (target) => {
    const { refused } = fuzz(target, new Random(seedOf("grin", target.name)), scaled(20_000));
    expect(refused).toBeGreaterThan(0);
  });
});
