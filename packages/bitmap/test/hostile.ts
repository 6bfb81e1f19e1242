import type { Random } from "@x/testing";
import {
  encodePlain,
  type HeaderChanges,
  joined,
  le16,
  numbersFrom,
  type PlainContainer,
  plainContainers,
  plainKind,
  smallestKind,
  writePlain,
} from "./portable.ts";
import { RangeModel } from "./range-model.ts";

/** A small set with containers of several forms; few have a bitset, which is long. */
export function randomModel(random: Random): RangeModel {
  const values: number[] = [];
  for (let containers = random.below(6); 0 < containers; containers--) {
    const base = random.pick([0, 1, 2, 3, 5, 32_767, 32_768, 65_534, 65_535]) * 65_536;
    const form = random.below(80);
    if (form === 0) {
      const step = random.between(2, 15);
      for (let i = 0; i < random.pick([4096, 4097, 4100]); i++) values.push(base + i * step);
    } else if (form < 40) {
      for (let i = random.between(1, 12); 0 < i; i--) values.push(base + random.below(65_536));
    } else {
      for (let i = random.between(1, 4); 0 < i; i--) {
        const begin = random.pick([0, 1, 100, 65_500, random.below(65_400)]);
        values.push(
          ...numbersFrom(begin, Math.min(65_536, begin + random.between(1, 40))).map(
            (v) => base + v,
          ),
        );
      }
    }
  }
  return RangeModel.of(values.filter((value) => value < 2 ** 32));
}

/** Some valid encodings, canonical and other, to be broken. */
export function validInputs(random: Random, count: number): Uint8Array[] {
  return numbersFrom(0, count).map(() => {
    const model = randomModel(random);
    return writePlain(model, random.pick([smallestKind, plainKind, (): "run" => "run"]));
  });
}

/** Numbers at which counts, offsets and lengths go wrong; as many bytes of one as there is room for. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n ** 16n - 2n,
  2n ** 16n - 1n,
  2n ** 31n,
  2n ** 32n - 2n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 64n - 2n,
  2n ** 64n - 1n,
];

/** A valid input with one to four changes that know nothing of the format. */
export function mutatedInput(random: Random, valid: readonly Uint8Array[]): Uint8Array {
  let bytes = Uint8Array.from(random.pick(valid));
  for (let changes = random.between(1, 4); 0 < changes; changes--) {
    bytes = mutated(random, bytes, valid);
  }
  return bytes;
}

function mutated(
  random: Random,
  bytes: Uint8Array<ArrayBuffer>,
  valid: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  // Mostly near the start, where the header is.
  const at = random.below(Math.min(bytes.length, random.pick([16, 60, 20_000])) + 1);
  const end = Math.min(bytes.length, at + random.between(1, 40));
  switch (random.below(9)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = random.below(256);
      return bytes;
    case 2:
      return bytes.slice(0, random.below(bytes.length + 1));
    case 3:
      return joined([
        bytes.subarray(0, at),
        random.bytes(random.between(1, 40)),
        bytes.subarray(at),
      ]);
    case 4:
      return joined([bytes.subarray(0, at), bytes.subarray(end)]);
    case 5:
      return joined([bytes.subarray(0, end), bytes.subarray(at)]);
    case 6: {
      const other = random.pick(valid);
      return joined([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
    }
    case 7:
      return withNumber(bytes, at, random.pick([2, 4, 8]), () => random.pick(EDGES));
    default:
      return withNumber(bytes, at, random.pick([2, 4]), (old) => old + random.pick([1n, -1n]));
  }
}

function withNumber(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  size: number,
  change: (old: bigint) => bigint,
): Uint8Array<ArrayBuffer> {
  if (at + size > bytes.length) return bytes;
  let old = 0n;
  for (let i = size - 1; 0 <= i; i--) old = old * 256n + BigInt(bytes[at + i] ?? 0);
  let value = change(old);
  for (let i = 0; i < size; i++) {
    bytes[at + i] = Number(BigInt.asUintN(8, value));
    value >>= 8n;
  }
  return bytes;
}

/** A valid bitmap with one rule of the format broken, or none, written without checks. */
export function brokenInput(random: Random): Uint8Array {
  const model = randomModel(random);
  const containers = plainContainers(model, (cardinality, runCount) =>
    random.chance(0.4) && runCount < 200
      ? "run"
      : random.chance(0.5)
        ? smallestKind(cardinality, runCount)
        : plainKind(cardinality),
  );
  const i = random.below(Math.max(1, containers.length));
  const container = containers[i];
  if (container === undefined) return encodePlain([], headerChange(random, 0));
  switch (random.below(6)) {
    case 0:
      return encodePlain(containers, headerChange(random, i));
    case 1:
      containers[i] = { ...container, key: random.pick([0, 1, 65_535, container.key + 1]) };
      return encodePlain(containers);
    case 2: {
      const cardinality = container.cardinality + random.pick([1, -1, 4096, -4096]);
      containers[i] = { ...container, cardinality: Math.min(65_536, Math.max(1, cardinality)) };
      return encodePlain(containers);
    }
    case 3:
      containers[i] = { ...container, body: brokenBody(random, container) };
      return encodePlain(containers);
    case 4:
      return joined([encodePlain(containers), random.bytes(random.between(1, 9))]);
    default:
      return encodePlain(containers, { runCookie: true });
  }
}

function headerChange(random: Random, i: number): HeaderChanges {
  switch (random.below(4)) {
    case 0:
      return { cookie: random.pick([12_345, 12_346 + 65_536, 12_347, 12_347 + 2 ** 31, 0]) };
    case 1:
      return { count: random.pick([0, 1, 65_536, 65_537, 2 ** 32 - 1]), runCookie: false };
    case 2:
      return { flags: [[0, 1 << random.below(8)]] };
    default:
      return { offsets: [[i, random.pick([1, -1, 2 ** 31, 8])]] };
  }
}

/** A body in which one number is another. */
function brokenBody(random: Random, { kind, body }: PlainContainer): Uint8Array {
  const copy = Uint8Array.from(body);
  if (kind === "bitset") {
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  }
  const at = 2 * random.below(copy.length / 2);
  const old = (copy[at] ?? 0) + (copy[at + 1] ?? 0) * 256;
  copy.set(le16([random.pick([0, 65_535, old + 1, old - 1, random.below(65_536)]) & 0xffff]), at);
  return copy;
}
