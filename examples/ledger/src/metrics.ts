import { LATENCY_BUCKETS, type MetricsHook, SIZE_BUCKETS } from "@x/jellyfish";
import { Histogram, Registry } from "prom-client";

/** The tree's metrics as histograms of a registry of their own. */
export function promMetrics(): {
  readonly hook: MetricsHook;
  readonly text: () => Promise<string>;
} {
  const registry = new Registry();
  const histograms = new Map<string, Histogram<"fn_name">>();
  return {
    hook: {
      now: () => performance.now() / 1000,
      observe(name, value, labels) {
        histogramOf(name).observe(labels, value);
      },
    },
    text: () => registry.metrics(),
  };

  function histogramOf(name: string): Histogram<"fn_name"> {
    const known = histograms.get(name);
    if (known !== undefined) return known;
    const made = new Histogram({
      name,
      help: name.endsWith("_seconds") ? "Seconds per call." : "Bytes per call.",
      labelNames: ["fn_name"] as const,
      buckets: [...(name.endsWith("_seconds") ? LATENCY_BUCKETS : SIZE_BUCKETS)],
      registers: [registry],
    });
    histograms.set(name, made);
    return made;
  }
}
