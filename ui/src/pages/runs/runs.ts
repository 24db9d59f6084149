// What the run pages share: state, duration, verdicts, columns.
import type { RunRow, State } from "../../api/types";
import { seconds } from "../../lib/format";

export const runState = (r: Pick<RunRow, "status">): State => (r.status === "FINISHED" ? "ok" : r.status === "RUNNING" ? "busy" : r.status === "FAILED" ? "bad" : r.status === "KILLED" ? "warn" : "idle");
export const runWord: Record<RunRow["status"], string> = { FINISHED: "finished", RUNNING: "running", FAILED: "failed", KILLED: "cancelled", SCHEDULED: "waiting" };
/** A start in the future (clocks differ) has no duration yet. */
export const duration = (r: RunRow) => {
  const took = (r.end ?? Date.now()) - r.start;
  return r.start && took >= 0 ? seconds(took / 1000) : "–";
};

/** The figures that say most, in this order, before the per-round series. */
const important = ["test_auc", "auc", "test_recall", "recall", "test_rmse", "rmse", "test_r2", "r2", "test_f1", "f1", "test_accuracy", "accuracy", "test_log_loss", "log_loss"];
export function inOrder(keys: Iterable<string>): string[] {
  const all = new Set(keys);
  const first = important.filter((k) => all.has(k));
  return [...first, ...[...all].filter((k) => !first.includes(k)).sort()];
}
export const metricKeys = (rows: RunRow[]): string[] => inOrder(rows.slice(0, 200).flatMap((r) => Object.keys(r.metrics)));
/** Of the params, those that differ say something in a table. */
export function varying(rows: RunRow[], keys: string[]): string[] {
  return keys.filter((k) => new Set(rows.slice(0, 100).map((r) => r.params[k])).size > 1);
}
export const quoteKey = (k: string) => (/^[\w]+$/.test(k) ? k : `\`${k}\``);
export const lowerIsBetter = (k: string) => /loss|rmse|mae|mse|brier|error|latency|ece|mape|seconds|difference/.test(k);
export const tagColumns = ["mlflow.source.git.commit", "rondo.trigger"];

/** TensorBoard's debiased exponential average; NaN stays where it is. */
export function smooth(values: number[], weight: number): number[] {
  if (weight <= 0) return values;
  let last = 0;
  let n = 0;
  return values.map((v) => {
    if (!Number.isFinite(v)) return v;
    last = last * weight + (1 - weight) * v;
    n++;
    return last / (1 - weight ** n);
  });
}
