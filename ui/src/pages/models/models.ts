// What the model pages share.
import type { Interval, VersionRow } from "../../api/types";

const order = ["auc", "average_precision", "recall", "precision", "f1", "accuracy", "brier", "log_loss", "rmse", "mae", "r2"];
export function metricOrder(rows: { metrics: Record<string, Interval> }[]): string[] {
  const keys = new Set(rows.flatMap((r) => Object.keys(r.metrics)));
  const first = order.filter((k) => keys.has(k));
  return [...first, ...[...keys].filter((k) => !first.includes(k)).sort()];
}
export const mainMetric = (rows: { metrics: Record<string, Interval> }[]): string | undefined => metricOrder(rows)[0];
export const isChampion = (v: VersionRow) => v.aliases.includes("champion");
