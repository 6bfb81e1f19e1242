/**
 * What a tree tells whoever counts: histograms by the names of Rooch's node, each observation with the method's own name as
 * its label `fn_name`. See the README, "Metrics".
 */
export interface MetricsHook {
  /** Takes one observation; what it throws comes out of the call that was observed. */
  observe(name: MetricName, value: number, labels: { readonly fn_name: string }): void;
  /** Seconds from some fixed point, for the latencies. Libraries here read no clock of their own. */
  now(): number;
}

/** Every histogram there is. */
export type MetricName = (typeof METRIC_NAMES)[number];

/** Every histogram there is: latencies in seconds, sizes in bytes. */
export const METRIC_NAMES = [
  "smt_put_latency_seconds",
  "smt_put_bytes",
  "smt_remove_latency_seconds",
  "smt_remove_bytes",
  "smt_puts_latency_seconds",
  "smt_puts_bytes",
  "smt_get_latency_seconds",
  "smt_get_bytes",
  "smt_get_with_proof_latency_seconds",
  "smt_get_with_proof_bytes",
  "smt_list_latency_seconds",
  "smt_list_bytes",
  "smt_iter_latency_seconds",
] as const;

/** Upper bounds of the buckets of latencies, in seconds. */
export const LATENCY_BUCKETS: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 90,
];

/** Upper bounds of the buckets of sizes, in bytes: 1, 4, 16 … 4^14. */
export const SIZE_BUCKETS: readonly number[] = Array.from({ length: 15 }, (_, power) => 4 ** power);
