import { storeActsLikeMap } from "./law-model.ts";
import { bufferLaws } from "./law-buffers.ts";
import { closingLaws } from "./law-closing.ts";
import { concurrencyLaws } from "./law-concurrency.ts";
import { failureLaws } from "./law-failures.ts";
import { boundLaws, iteratorLaws } from "./law-iterators.ts";
import { batchLaws } from "./law-batches.ts";
import { type StoreLaw, type StoreSubject } from "./subject.ts";

/**
 * What every store must keep, as named laws: each makes its own stores and throws where one of them breaks it.
 *
 * ```ts
 * for (const law of storeLaws(subject)) test(law.name, () => law.run(subject));
 * ```
 *
 * Laws about what a subject cannot do are left out: those of failures, where it cannot be made to fail, and of bounds, where it
 * has none.
 */
export function storeLaws(subject: StoreSubject): readonly StoreLaw[] {
  return [
    {
      name: "a store answers as a sorted map would, whatever was done to it",
      run: storeActsLikeMap,
    },
    ...batchLaws,
    ...bufferLaws,
    ...iteratorLaws,
    ...(subject.isBounded === false ? [] : boundLaws),
    ...concurrencyLaws,
    ...closingLaws,
    ...(subject.canFail ? failureLaws : []),
  ];
}
