import fc from "fast-check";
import { someComb, someValue } from "./laws.ts";
import type { ChooseKind } from "./portable.ts";
import { plainKind, smallestKind } from "./portable.ts";
import { KEEPS, RangeModel } from "./range-model.ts";

const someStretch = fc
  .tuple(someValue, fc.constantFrom(1, 2, 3, 4, 100, 4096, 4097, 65535, 65536, 65537, 140_000))
  .map(([begin, length]) => RangeModel.range(begin, Math.min(2 ** 32, begin + length)));

/** A set of at most some hundred thousand values, with containers of every form. */
export const someSet: fc.Arbitrary<RangeModel> = fc
  .array(
    fc.oneof(
      someStretch,
      someComb.map((values) => RangeModel.of(values)),
      fc.array(someValue, { maxLength: 30 }).map((values) => RangeModel.of(values)),
    ),
    { maxLength: 5, size: "max" },
  )
  .map((parts) => parts.reduce((sum, part) => sum.combine(part, KEEPS.or), RangeModel.EMPTY));

/** Ways to choose the form of a container, all of them allowed. */
export const CHOICES: { readonly [name: string]: ChooseKind } = {
  smallest: smallestKind,
  "without runs": plainKind,
  "only runs": () => "run",
  "runs where they are few": (cardinality, runCount) =>
    runCount < 9 ? "run" : plainKind(cardinality),
  "runs in one of two": (cardinality, runCount) =>
    (cardinality + runCount) % 2 === 0 ? "run" : plainKind(cardinality),
};
