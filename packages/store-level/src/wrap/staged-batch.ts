import { type Operation } from "@x/store";

import { isFormatKey } from "./format-record.ts";
import { type LevelOperation } from "./level-database.ts";
import { type ValueSeal } from "./value-seal.ts";

/** A batch as it goes into the database; shares no memory with the caller. */
export interface StagedBatch {
  readonly operations: readonly LevelOperation[];
  /** Bytes of keys and sealed values. */
  readonly byteCount: number;
}

/**
 * Copies and seals a batch.
 *
 * @param packed - one buffer for all of it: cheaper, for databases that copy what they are given before they return.
 *   Others may keep the buffers, or clone all of a buffer for a piece of it.
 * @throws TypeError if a key is the one the store keeps for itself
 */
export function stageBatch(
  operations: readonly Operation[],
  seal: ValueSeal,
  packed: boolean,
): StagedBatch {
  const byteCount = sizeOf(operations, seal);
  const take = packed ? takeFrom(new Uint8Array(byteCount)) : takeFresh;
  const staged: LevelOperation[] = [];
  for (const operation of operations) {
    refuseFormatKey(operation.key);
    const key = take(operation.key.length);
    key.set(operation.key);
    if (operation.type === "del") {
      staged.push({ type: "del", key });
    } else {
      const value = take(operation.value.length + seal.size);
      seal.write(value, key, operation.value);
      staged.push({ type: "put", key, value });
    }
  }
  return { operations: staged, byteCount };
}

/** @throws TypeError if a key is the one the store keeps for itself */
export function refuseFormatKey(key: Uint8Array): void {
  if (isFormatKey(key)) throw new TypeError("this key is the store's own");
}

function sizeOf(operations: readonly Operation[], seal: ValueSeal): number {
  let size = 0;
  for (const operation of operations) {
    size += operation.key.length;
    if (operation.type === "put") size += operation.value.length + seal.size;
  }
  return size;
}

function takeFrom(buffer: Uint8Array): (size: number) => Uint8Array {
  let offset = 0;
  return (size) => buffer.subarray(offset, (offset += size));
}

function takeFresh(size: number): Uint8Array {
  return new Uint8Array(size);
}
