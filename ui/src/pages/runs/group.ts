// Rows under a common value.
import type { Experiment, RunRow } from "../../api/types";
import { dateTime, toNumber } from "../../lib/format";
import { runWord } from "./runs";

export interface Group {
  value: string;
  rows: RunRow[];
  /** Of the main metric, over the runs that have it. */
  figures?: { low: number; mean: number; high: number; n: number };
}

export function valueOf(row: RunRow, key: string, experiments: Experiment[]): string {
  if (key === "status") return runWord[row.status];
  if (key === "user") return row.user;
  if (key === "experiment") return experiments.find((e) => e.id === row.experiment_id)?.name ?? row.experiment_id;
  if (key === "day") return dateTime(row.start).slice(0, 10);
  return (key.startsWith("p.") ? row.params : row.tags)[key.slice(2)] ?? "–";
}

export function groupRows(rows: RunRow[], key: string, main: string | undefined, experiments: Experiment[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const value = valueOf(row, key, experiments);
    let group = groups.get(value);
    if (!group) groups.set(value, (group = { value, rows: [] }));
    group.rows.push(row);
  }
  for (const group of groups.values()) {
    const numbers = main ? group.rows.map((r) => toNumber(r.metrics[main])).filter(Number.isFinite) : [];
    if (numbers.length) group.figures = { low: Math.min(...numbers), high: Math.max(...numbers), mean: numbers.reduce((a, b) => a + b, 0) / numbers.length, n: numbers.length };
  }
  const numeric = [...groups.keys()].every((v) => v === "–" || (v !== "" && Number.isFinite(Number(v))));
  return [...groups.values()].sort((a, b) => (a.value === "–" ? 1 : b.value === "–" ? -1 : numeric ? Number(a.value) - Number(b.value) : a.value.localeCompare(b.value)));
}
