import { type ByteReader } from "../codec/byte-reader.ts";
import { compareItems } from "./order.ts";
import { readFlag } from "./scalar.ts";
import { type AnySchema, type Schema, schemaOf, type ValueOf } from "./schema.ts";

/** 00, or 01 and the value. `undefined` is absence, so `inner` must not be able to mean it too. */
export function option<T>(inner: Schema<T>): Schema<T | undefined> {
  if (inner.shape === "unit" || inner.shape.startsWith("option<")) {
    throw new RangeError(`an option of ${inner.shape} has two ways to be undefined`);
  }
  return schemaOf<T | undefined>({
    shape: `option<${inner.shape}>`,
    byteCountMin: 1,
    compare: inner.isOrdered ? compare : undefined,
    write(value, writer) {
      writer.u8(value === undefined ? 0 : 1);
      if (value !== undefined) inner.write(value, writer);
    },
    read: (reader) => (readFlag(reader) ? inner.read(reader) : undefined),
  });

  function compare(a: T | undefined, b: T | undefined): number {
    if (a === undefined || b === undefined)
      return Number(a !== undefined) - Number(b !== undefined);
    return inner.compare(a, b);
  }
}

/**
 * A varint of the count, then the items.
 *
 * @throws RangeError if an item could take no bytes: a count alone would then stand for any number of them
 */
export function sequence<T>(item: Schema<T>): Schema<readonly T[]> {
  const shape = `${item.shape}[]`;
  checkItem(shape, item);
  return schemaOf<readonly T[]>({
    shape,
    byteCountMin: 1,
    compare: item.isOrdered ? (a, b) => compareItems(() => item, a, b) : undefined,
    write(values, writer) {
      checkArray(shape, values);
      writer.varint(values.length);
      for (const value of values) item.write(value, writer);
    },
    read: (reader) => readItems(reader, item, reader.count(item.byteCountMin)),
  });
}

/**
 * So many items, without a count.
 *
 * @throws RangeError if `count` is no count
 */
export function array<T>(item: Schema<T>, count: number): Schema<readonly T[]> {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`an array of ${count} items`);
  const shape = `[${item.shape};${count}]`;
  return schemaOf<readonly T[]>({
    shape,
    byteCountMin: count * item.byteCountMin,
    compare: item.isOrdered ? (a, b) => compareItems(() => item, a, b) : undefined,
    write(values, writer) {
      checkArray(shape, values, count);
      for (const value of values) item.write(value, writer);
    },
    read: (reader) => readItems(reader, item, count),
  });
}

/** One value of each schema, one after another. */
export function tuple<const S extends readonly AnySchema[]>(
  ...items: S
): Schema<{ readonly [I in keyof S]: ValueOf<S[I]> }> {
  const shape = `(${items.map((item) => item.shape).join(",")})`;
  const written = schemaOf<readonly unknown[]>({
    shape,
    byteCountMin: sizeOf(items),
    compare: areOrdered(items) ? compare : undefined,
    write(values, writer) {
      checkArray(shape, values, items.length);
      for (const [index, item] of items.entries()) item.write(values[index], writer);
    },
    read: (reader) => items.map((item) => item.read(reader)),
  });
  return written as Schema<unknown> as Schema<{ readonly [I in keyof S]: ValueOf<S[I]> }>;

  function compare(a: readonly unknown[], b: readonly unknown[]): number {
    return compareItems((index) => items[index] as AnySchema, a, b);
  }
}

/**
 * The fields one after another, in the order in which they are given here. Values are objects with exactly these fields.
 *
 * @throws RangeError if a name is no identifier, or `__proto__` (an object keeps integers elsewhere than where they were put)
 */
export function struct<const F extends { readonly [name: string]: AnySchema }>(
  fields: F,
): Schema<{ readonly [N in keyof F]: ValueOf<F[N]> }> {
  const entries = namedSchemas("struct", fields);
  const schemas = entries.map(([, field]) => field);
  const shape = `{${entries.map(([name, field]) => `${name}:${field.shape}`).join(",")}}`;
  const written = schemaOf<{ readonly [name: string]: unknown }>({
    shape,
    byteCountMin: sizeOf(schemas),
    compare: areOrdered(schemas) ? compare : undefined,
    write(value, writer) {
      if (typeof value !== "object" || value === null)
        throw new TypeError(`${shape} wants an object`);
      for (const name of Object.keys(value)) {
        if (!Object.hasOwn(fields, name)) throw new TypeError(`${shape} has an unknown field`);
      }
      for (const [name, field] of entries) field.write(value[name], writer);
    },
    read(reader) {
      const value: { [name: string]: unknown } = {};
      for (const [name, field] of entries) value[name] = field.read(reader);
      return value;
    },
  });
  return written as Schema<unknown> as Schema<{ readonly [N in keyof F]: ValueOf<F[N]> }>;

  function compare(
    a: { readonly [name: string]: unknown },
    b: { readonly [name: string]: unknown },
  ): number {
    const valuesOf = (value: typeof a) => entries.map(([name]) => value[name]);
    return compareItems((index) => schemas[index] as AnySchema, valuesOf(a), valuesOf(b));
  }
}

/** One case of {@link taggedUnion}: its name and what it carries. */
export type Tagged<C extends { readonly [name: string]: AnySchema }> = {
  readonly [N in keyof C & string]: { readonly type: N; readonly value: ValueOf<C[N]> };
}[keyof C & string];

/**
 * Rust's enum: a varint of the case's index, in the order in which the cases are given here, then what it carries
 * (`unit` for a bare case).
 *
 * @throws RangeError if there are no cases, or a name is no identifier, or `__proto__`
 */
export function taggedUnion<const C extends { readonly [name: string]: AnySchema }>(
  cases: C,
): Schema<Tagged<C>> {
  const entries = namedSchemas("taggedUnion", cases);
  if (entries.length === 0) throw new RangeError("a union wants cases");
  const indexes = new Map(entries.map(([name], index) => [name, index]));
  const schemas = entries.map(([, inner]) => inner);
  const shape = `<${entries.map(([name, inner]) => `${name}:${inner.shape}`).join("|")}>`;
  const written = schemaOf<{ readonly type: string; readonly value: unknown }>({
    shape,
    byteCountMin: 1 + Math.min(...schemas.map((inner) => inner.byteCountMin)),
    compare: areOrdered(schemas) ? compare : undefined,
    write(value, writer) {
      const index = indexOf(value);
      writer.varint(index);
      schemas[index]?.write(value.value, writer);
    },
    read(reader) {
      const { offset } = reader;
      const [type, inner] = entries[reader.varint()] ?? [];
      if (type === undefined || inner === undefined) throw reader.damage("an unknown case", offset);
      return { type, value: inner.read(reader) };
    },
  });
  return written as Schema<unknown> as Schema<Tagged<C>>;

  function indexOf(value: { readonly type: string }): number {
    if (typeof value !== "object" || value === null)
      throw new TypeError(`${shape} wants an object`);
    const index = indexes.get(value.type);
    if (index === undefined) throw new TypeError(`${shape} has no such case`);
    return index;
  }

  function compare(
    a: { readonly type: string; readonly value: unknown },
    b: { readonly type: string; readonly value: unknown },
  ): number {
    const index = indexOf(a);
    return index - indexOf(b) || (schemas[index] as AnySchema).compare(a.value, b.value);
  }
}

/**
 * A varint of the count, then keys and values, the keys ascending in the order that Rust derives for their type, as a
 * BTreeMap writes them.
 *
 * @throws RangeError if the keys have no order, or could take no bytes
 */
export function map<K, V>(key: Schema<K>, value: Schema<V>): Schema<ReadonlyMap<K, V>> {
  const shape = `map<${key.shape},${value.shape}>`;
  if (!key.isOrdered) throw new RangeError(`${shape} wants keys with an order`);
  checkItem(shape, key);
  return schemaOf<ReadonlyMap<K, V>>({
    shape,
    byteCountMin: 1,
    write(values, writer) {
      if (!(values instanceof Map)) throw new TypeError(`${shape} wants a Map`);
      const entries = [...(values as ReadonlyMap<K, V>)].toSorted(([a], [b]) => key.compare(a, b));
      writer.varint(entries.length);
      for (const [index, [one, carried]] of entries.entries()) {
        const before = entries[index - 1];
        if (before !== undefined && key.compare(before[0], one) === 0) {
          throw new RangeError(`${shape} has a key twice`);
        }
        key.write(one, writer);
        value.write(carried, writer);
      }
    },
    read(reader) {
      const values = new Map<K, V>();
      let before: { readonly key: K } | undefined;
      for (let left = reader.count(key.byteCountMin + value.byteCountMin); left > 0; left--) {
        const { offset } = reader;
        const one = key.read(reader);
        if (before !== undefined && key.compare(before.key, one) >= 0) {
          throw reader.damage("keys out of order", offset);
        }
        before = { key: one };
        values.set(one, value.read(reader));
      }
      return values;
    },
  });
}

function readItems<T>(reader: ByteReader, item: Schema<T>, count: number): T[] {
  const values: T[] = [];
  for (let left = count; left > 0; left--) values.push(item.read(reader));
  return values;
}

function checkItem(shape: string, item: { readonly byteCountMin: number }): void {
  if (item.byteCountMin === 0) throw new RangeError(`${shape} has items that could take no bytes`);
}

function checkArray(shape: string, values: readonly unknown[], count?: number): void {
  if (!Array.isArray(values)) throw new TypeError(`${shape} wants an array`);
  if (count !== undefined && values.length !== count) {
    throw new RangeError(`${shape} wants ${count} items, got ${values.length}`);
  }
}

/** The schemas by name, in their order, which for names that look like integers would not be the one they were given in. */
function namedSchemas(
  what: string,
  schemas: { readonly [name: string]: AnySchema },
): (readonly [string, Schema<unknown>])[] {
  return Object.entries(schemas).map(([name, schema]) => {
    if (!/^[A-Za-z_$][\w$]*$/.test(name) || name === "__proto__") {
      throw new RangeError(`${what} wants names that are identifiers`);
    }
    return [name, schema] as const;
  });
}

function sizeOf(schemas: readonly AnySchema[]): number {
  return schemas.reduce((sum, { byteCountMin }) => sum + byteCountMin, 0);
}

function areOrdered(schemas: readonly AnySchema[]): boolean {
  return schemas.every(({ isOrdered }) => isOrdered);
}
