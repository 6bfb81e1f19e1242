import { concatBytes, toHex } from "@x/hash";
import { fromEnvironment, printCounts, Random, scaled } from "@x/testing";
import { beforeAll, describe, expect, it } from "vitest";
import {
  partialTreeFromJson,
  partialTreeToJson,
  pathProofFromJson,
  pathProofToJson,
  rangeProofFromJson,
  rangeProofToJson,
  decodePartialTree,
  decodePathProof,
  decodeRangeProof,
} from "../../src/verify/index.ts";
import { codeOf } from "./naive-tree.ts";
import { type SampleProof, sampleProofs } from "./sample-proofs.ts";
import { type Setting, SETTINGS } from "./small-trees.ts";

const RUNS = scaled(20_000);
const SEED = fromEnvironment("FUZZ_SEED", 1);
/** Longest that one input may take. */
const TIME_MS_MAX = 50;
/** What a field of a length or count is set to. */
const EDGES = [
  0, 1, 127, 128, 255, 256, 257, 0xfffe, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

beforeAll(() => {
  // What comes from input must not reach the prototypes: then it would throw here.
  Object.freeze(Object.prototype);
});

/** Random bytes, or a valid input with one to four changes. */
function fuzzInput(random: Random, valid: readonly Uint8Array[]): Uint8Array {
  if (random.chance(0.1)) return random.bytes(random.below(4097));
  let bytes = random.pick(valid);
  for (let changes = random.between(1, 4); 0 < changes; changes--) {
    bytes = mutated(random, bytes, valid);
  }
  return bytes;
}

function mutated(random: Random, bytes: Uint8Array, valid: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.between(1, 40));
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(7)) {
    case 0:
      return at < bytes.length
        ? bytes.with(at, (bytes[at] as number) ^ (1 << random.below(8)))
        : bytes;
    case 1:
      return head;
    case 2:
      return concatBytes([head, random.bytes(random.between(1, 40)), tail]);
    case 3:
      return concatBytes([head, bytes.subarray(end)]);
    case 4:
      return concatBytes([bytes.subarray(0, end), tail]);
    case 5: {
      const other = random.pick(valid);
      return concatBytes([head, other.subarray(random.below(other.length + 1))]);
    }
    default: {
      const copy = new Uint8Array(bytes);
      const size = random.pick([1, 2, 4]);
      let edge = random.pick(EDGES);
      for (let i = size - 1; 0 <= i; i--, edge = Math.floor(edge / 256)) {
        if (at + i < copy.length) copy[at + i] = edge % 256;
      }
      return copy;
    }
  }
}

/** How one input ends, and how long that took. */
function run(call: () => unknown): { code: string | undefined; ms: number } {
  const start = performance.now();
  const code = codeOf(call);
  return { code, ms: performance.now() - start };
}

function fuzz(
  name: string,
  valid: readonly Uint8Array[],
  call: (input: Uint8Array) => void,
): number {
  const random = new Random(SEED);
  let accepted = 0;
  for (let i = 0; i < RUNS; i++) {
    const input = fuzzInput(random, valid);
    const where = `${name}, seed ${SEED}, input ${i}: ${toHex(input).slice(0, 200)}`;
    const { code, ms } = run(() => call(input));
    if (code === undefined) accepted++;
    else if (!code.startsWith("JELLYFISH_PROOF_")) throw new Error(`${where}: ${code}`);
    // A second look at slow ones: the machine may have been busy elsewhere.
    if (TIME_MS_MAX < ms && TIME_MS_MAX < run(() => call(input)).ms)
      throw new Error(`slow: ${where}`);
  }
  printCounts(`T-FUZZ ${name}`, { inputs: RUNS, accepted, refused: RUNS - accepted });
  return RUNS - accepted;
}

describe.each(SETTINGS)("under $scheme.name, whatever the bytes,", (setting: Setting) => {
  const samples = sampleProofs(setting);
  const groups: readonly (readonly [string, readonly SampleProof[]])[] = [
    ["path proofs", samples.slice(0, 3)],
    ["range proofs", samples.slice(3, 5)],
    ["partial trees", samples.slice(5, 7)],
    ["BCS path proofs", samples.slice(7, 9)],
    ["BCS right siblings", samples.slice(9)],
  ];

  for (const [name, group] of groups) {
    it(`a decoder refuses with a code or reads what encodes to them: ${name}`, () => {
      const [{ recode }] = group as [SampleProof];
      const refused = fuzz(
        `decoder of ${name}`,
        group.map(({ bytes }) => bytes),
        (input) => {
          const again = recode(input);
          if (toHex(again) !== toHex(input)) throw new Error(`recoded: ${toHex(input)}`);
        },
      );
      expect(refused).toBeGreaterThan(0);
    });
  }

  for (const { name, bytes, verify } of samples) {
    it(`a verifier refuses with a code all but the one proof: ${name}`, () => {
      const valid = samples.map((sample) => sample.bytes);
      const refused = fuzz(`verifier of ${name}`, [bytes, bytes, ...valid], (input) => {
        verify(input);
        if (toHex(input) !== toHex(bytes)) throw new Error(`accepted: ${toHex(input)}`);
      });
      expect(refused).toBeGreaterThan(0);
    });
  }
});

describe("whatever the JSON,", () => {
  const setting = SETTINGS[1] as Setting;
  const { scheme } = setting;
  const [path, , , , range, , tree] = sampleProofs(setting).map(({ bytes }) => bytes);
  const targets = [
    [
      "path proof",
      pathProofToJson(decodePathProof(path as Uint8Array, scheme)),
      (json: unknown) => pathProofToJson(pathProofFromJson(json)),
    ],
    [
      "range proof",
      rangeProofToJson(decodeRangeProof(range as Uint8Array, scheme)),
      (json: unknown) => rangeProofToJson(rangeProofFromJson(json)),
    ],
    [
      "partial tree",
      partialTreeToJson(decodePartialTree(tree as Uint8Array, scheme)),
      (json: unknown) => partialTreeToJson(partialTreeFromJson(json)),
    ],
  ] as const;

  for (const [name, valid, recode] of targets) {
    it(`a reader refuses with a code or reads what is written the same: ${name}`, () => {
      const random = new Random(SEED);
      let accepted = 0;
      for (let i = 0; i < RUNS; i++) {
        let json: unknown = valid;
        for (let changes = random.between(1, 3); 0 < changes; changes--)
          json = mutatedJson(random, json);
        const code = codeOf(() => {
          accepted++;
          expect(recode(json)).toEqual(json);
        });
        if (code !== undefined) accepted--;
        if (code?.startsWith("JELLYFISH_PROOF_") === false) throw new Error(`${name}: ${code}`);
      }
      printCounts(`T-FUZZ JSON ${name}`, { inputs: RUNS, accepted, refused: RUNS - accepted });
      expect(accepted).toBeLessThan(RUNS);
    });
  }
});

const STRANGE: readonly unknown[] = [
  null,
  undefined,
  0,
  "",
  "0x",
  "0x00",
  `0x${"0".repeat(64)}`,
  `0x${"G".repeat(64)}`,
  [],
  {},
  [null, null],
  { leaf: null },
  JSON.parse('{"__proto__":{"leaf":null}}'),
  true,
  Number.NaN,
];

/** A copy in which one thing, somewhere, is another. */
function mutatedJson(random: Random, value: unknown): unknown {
  if (typeof value === "string" && random.chance(0.5)) {
    const at = random.below(value.length + 1);
    return (
      value.slice(0, at) +
      random.pick(["0", "f", "F", "x", " "]) +
      value.slice(at + random.below(2))
    );
  }
  if (typeof value !== "object" || value === null || random.chance(0.15)) {
    return STRANGE[random.below(STRANGE.length)];
  }
  if (Array.isArray(value)) {
    if (value.length === 0 || random.chance(0.15)) {
      return value.toSpliced(
        random.below(value.length + 1),
        random.below(2),
        STRANGE[random.below(STRANGE.length)],
      );
    }
    const at = random.below(value.length);
    return value.with(at, mutatedJson(random, value[at]));
  }
  const fields = Object.entries(value);
  const [name, field] = fields[random.below(Math.max(1, fields.length))] ?? ["leaf", null];
  switch (random.below(4)) {
    case 0:
      return Object.fromEntries(fields.filter(([other]) => other !== name));
    case 1:
      return { ...value, [random.pick(["constructor", "prototype", "value", "path"])]: field };
    default:
      return { ...value, [name]: mutatedJson(random, field) };
  }
}
