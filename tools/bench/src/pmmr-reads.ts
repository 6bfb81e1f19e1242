import { rmSync } from "node:fs";
import { bytesCodec, leafPosition, MemoryBackend, type MerkleProof, Pmmr } from "@x/pmmr";
import { verifyMerkleProof } from "@x/pmmr/verify";
import { type Benchmark, contender } from "./harness.ts";
import { batches, type Elements, makeElements, openCopy, template } from "./pmmr-folders.ts";
import { newAccumulator, newHypercore, toHexText } from "./pmmr-peers.ts";

/** Root, get, proof and verification on a range of `leaves` leaves of 34 bytes. */
export function reads(leaves: number): Benchmark[] {
  let list: Elements | undefined;
  const elements = (): Elements => (list ??= makeElements(34, leaves));
  const picks = Array.from({ length: 500 }, (_, i) => (i * 7_919) % leaves);
  const memory = once(() => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(34) }));
    pmmr.pushMany(elements());
    return pmmr;
  });
  const disk = once(async () => {
    const opened = await openCopy(await template(leaves, "spent=none"));
    process.once("exit", () => rmSync(opened.path, { recursive: true, force: true }));
    return opened.folder;
  });
  const core = once(async () => {
    const made = await newHypercore();
    for (const part of batches(elements(), 1_000)) await made.append(part);
    return made;
  });
  const accumulator = once(async () => {
    const mmr = newAccumulator();
    const indexes: number[] = [];
    const texts = elements().map((element) => `0x${toHexText(element)}`);
    for (const text of texts) indexes.push((await mmr.append(text)).elementIndex);
    return { mmr, indexes, texts };
  });
  const small = leaves <= 2_000;
  const base = { operations: picks.length, rounds: 7 };
  const proveAll = (pmmr: Pmmr<Uint8Array>): MerkleProof[] =>
    picks.map((i) => pmmr.merkleProof(leafPosition(i)));
  return [
    {
      ...base,
      name: `pmmr/root/leaves=${leaves}`,
      operations: 50,
      unit: "root",
      contenders: [
        {
          subject: "@x/pmmr in memory",
          run: async () => repeat(50, await memory(), (pmmr) => pmmr.root()),
        },
        {
          subject: "@x/pmmr on disk",
          run: async () => repeat(50, (await disk()).pmmr, (pmmr) => pmmr.root()),
        },
        {
          subject: "hypercore 10",
          run: async () => {
            const made = await core();
            for (let i = 0; i < 50; i++) await made.treeHash();
          },
        },
      ],
    },
    {
      ...base,
      name: `pmmr/get/leaves=${leaves}`,
      unit: "element",
      contenders: [
        { subject: "@x/pmmr in memory", run: async () => getAll(await memory(), picks) },
        { subject: "@x/pmmr on disk", run: async () => getAll((await disk()).pmmr, picks) },
        {
          subject: "hypercore 10",
          run: async () => {
            const made = await core();
            for (const i of picks) await made.get(i);
          },
        },
      ],
    },
    {
      ...base,
      name: `pmmr/proof/leaves=${leaves}`,
      unit: "proof",
      contenders: [
        { subject: "@x/pmmr in memory", run: async () => void proveAll(await memory()) },
        { subject: "@x/pmmr on disk", run: async () => void proveAll((await disk()).pmmr) },
        ...(small
          ? [
              {
                subject: "@accumulators",
                run: async () => {
                  const { mmr, indexes } = await accumulator();
                  for (const i of picks) await mmr.getProof(indexes[i] ?? 1);
                },
              },
            ]
          : []),
      ],
    },
    {
      ...base,
      name: `pmmr/verify/leaves=${leaves}`,
      unit: "proof",
      contenders: [
        contender<{ pmmr: Pmmr<Uint8Array>; proofs: MerkleProof[] }>({
          subject: "@x/pmmr",
          prepare: async () => {
            const pmmr = await memory();
            return { pmmr, proofs: proveAll(pmmr) };
          },
          run: ({ pmmr, proofs }) => verifyAll(pmmr, picks, proofs, elements()),
        }),
        ...(small
          ? [
              contender<{ proofs: unknown[] }>({
                subject: "@accumulators",
                prepare: async () => {
                  const { mmr, indexes } = await accumulator();
                  const proofs = [];
                  for (const i of picks) proofs.push(await mmr.getProof(indexes[i] ?? 1));
                  return { proofs };
                },
                run: async ({ proofs }) => {
                  const { mmr, texts } = await accumulator();
                  for (const [n, i] of picks.entries()) {
                    if (!(await mmr.verifyProof(proofs[n], texts[i] ?? "")))
                      throw new Error("not verified");
                  }
                },
              }),
            ]
          : []),
      ],
    },
  ];
}

function getAll(pmmr: Pmmr<Uint8Array>, picks: readonly number[]): void {
  for (const i of picks)
    if (pmmr.element(leafPosition(i)) === undefined) throw new Error("no element");
}

function verifyAll(
  pmmr: Pmmr<Uint8Array>,
  picks: readonly number[],
  proofs: readonly MerkleProof[],
  elements: Elements,
): void {
  const { size } = pmmr;
  const root = pmmr.root();
  for (const [n, i] of picks.entries()) {
    const proof = proofs[n];
    const hashForm = elements[i];
    if (proof === undefined || hashForm === undefined) throw new Error("no proof");
    if (!verifyMerkleProof({ root, size, pos0: leafPosition(i), hashForm, proof })) {
      throw new Error("not verified");
    }
  }
}

function repeat<T>(count: number, value: T, work: (value: T) => unknown): void {
  for (let i = 0; i < count; i++) work(value);
}

/** Makes the value when first asked, and keeps it. */
function once<T>(make: () => T | Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= Promise.resolve(make()));
}
