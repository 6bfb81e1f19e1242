import { type TreeContext } from "../context.ts";
import { NodeCache } from "../node-cache.ts";
import { compactNodes } from "../node-codec-compact.ts";
import { type NodeFormat } from "../node-format.ts";
import { type LeafNode } from "../node.ts";
import { PATH_SIZE } from "../path.ts";
import { preferredEngine } from "@x/hash/wasm";
import { sameBytes } from "@x/store/adapter";
import { jmtSha256 } from "../scheme/jmt-sha256.ts";
import { type HashScheme, type ProofRules } from "../scheme/scheme.ts";
import { type RunSource } from "../retention/runs.ts";
import { bytesCodec, type Codec } from "./codec.ts";
import { type MetricsHook } from "./metrics.ts";

/** How a tree is opened. What is marked *recorded* is fixed when the store's tree is made. */
export interface JellyfishTreeOptions<K = Uint8Array, V = Uint8Array> {
  /** Recorded, by its name. Default: {@link jmtSha256} with the fastest engine of the runtime. */
  readonly scheme?: HashScheme;
  /** Recorded, by its name. Default: `compactNodes({ counts: true, keys: true })`. */
  readonly format?: NodeFormat;
  /**
   * Recorded. `hashed`: a key of any length is hashed to its path, so nobody chooses where it lies. `paths`: a key is its path, 32
   * bytes; whoever chooses keys can make a tree deep. Default: `hashed`.
   */
  readonly keys?: "hashed" | "paths";
  /** Default: bytes as they are. */
  readonly keyCodec?: Codec<K>;
  /** Default: bytes as they are. */
  readonly valueCodec?: Codec<V>;
  /** Roots that stay readable at least, the present one included; `Infinity`: all. Default: 1. */
  readonly history?: number;
  /** Budget of the cache of decoded nodes, in bytes. Default: 64 MiB; 0: no cache. */
  readonly cacheByteCountMax?: number;
  /** Whether an update is acknowledged only when it is durable. Default: true. */
  readonly sync?: boolean;
  /** Hardened rules, for schemes with shared domains. Default: all on. */
  readonly rules?: ProofRules;
  /**
   * Recorded, as yes or no. Roots of the trees that a leaf's stored value carries, in an order that does not depend on anything
   * else. Those trees live and go with the leaf. Default: leaves carry none.
   */
  readonly nestedRoots?: (value: Uint8Array) => Iterable<Uint8Array>;
  /** Default: nobody counts. */
  readonly metrics?: MetricsHook;
}

/** Options of which none is missing. */
export interface ResolvedOptions {
  readonly context: TreeContext;
  readonly scheme: HashScheme;
  readonly format: NodeFormat;
  readonly keys: "hashed" | "paths";
  readonly history: number;
  readonly sync: boolean;
  readonly rules: ProofRules | undefined;
  readonly nestedRoots: RunSource["nestedRoots"];
  readonly metrics: MetricsHook | undefined;
}

/** @throws TypeError, RangeError if an option is none of what it may be */
export function resolveOptions<K, V>(options: JellyfishTreeOptions<K, V>): ResolvedOptions {
  const {
    scheme = jmtSha256({ engine: preferredEngine }),
    format = compactNodes({ counts: true, keys: true }),
    keys = "hashed",
    history = 1,
    sync = true,
    cacheByteCountMax,
    rules,
    nestedRoots,
    metrics,
  } = options;
  if (keys !== "hashed" && keys !== "paths")
    throw new TypeError("keys is neither hashed nor paths");
  if (history !== Infinity && !(Number.isSafeInteger(history) && history >= 1))
    throw new RangeError(`history is ${history}, not a count of 1 or more`);
  if (typeof sync !== "boolean") throw new TypeError("sync is not a boolean");
  const cache =
    cacheByteCountMax === 0
      ? undefined
      : new NodeCache(cacheByteCountMax === undefined ? {} : { byteCountMax: cacheByteCountMax });
  return {
    context: { scheme, format, cache, rules },
    scheme,
    format,
    keys,
    history,
    sync,
    rules,
    nestedRoots: nestedRoots === undefined ? undefined : rootsOfLeaf(nestedRoots, scheme),
    metrics,
  };
}

/** The codecs of a tree: bytes as they are unless something else is given. */
export function resolveCodecs<K, V>({
  keyCodec,
  valueCodec,
}: JellyfishTreeOptions<K, V>): { readonly keyCodec: Codec<K>; readonly valueCodec: Codec<V> } {
  // Without a codec the type parameters have their defaults, which are bytes.
  return {
    keyCodec: keyCodec ?? (bytesCodec as Codec<unknown> as Codec<K>),
    valueCodec: valueCodec ?? (bytesCodec as Codec<unknown> as Codec<V>),
  };
}

function rootsOfLeaf(
  nestedRoots: (value: Uint8Array) => Iterable<Uint8Array>,
  { placeholder }: HashScheme,
): (leaf: LeafNode) => readonly (Uint8Array | undefined)[] {
  return ({ value }) => {
    const roots: (Uint8Array | undefined)[] = [];
    for (const root of nestedRoots(new Uint8Array(value))) {
      if (!(root instanceof Uint8Array) || root.length !== PATH_SIZE)
        throw new TypeError("nestedRoots gave something else than 32 bytes");
      // The empty tree has no nodes, but a number, so that the others keep theirs.
      roots.push(sameBytes(root, placeholder) ? undefined : root);
    }
    return roots;
  };
}
