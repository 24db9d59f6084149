// Made-up runs of the churn project.
import type { Curve, RunDetail, RunRow } from "../src/api/types";
import { DAY, HOUR, hex, normal, now, rnd } from "./random";

export const commits = [hex(40), hex(40), hex(40)];
const words = ["amber", "brisk", "calm", "dense", "eager", "fleet", "grand", "hardy"];
const birds = ["lark", "heron", "swift", "wren", "crane", "finch"];

export const runs: RunRow[] = Array.from({ length: 2400 }, (_, i) => {
  const algorithm = i % 9 === 4 ? "lightgbm" : i % 13 === 7 ? "logistic" : "xgboost";
  const depth = 3 + (i % 5);
  const auc = 0.845 - Math.abs(depth - 4) * 0.004 + normal() * 0.004 - (algorithm === "logistic" ? 0.006 : 0);
  const status = i === 0 ? "RUNNING" : i % 37 === 11 ? "FAILED" : i === 20 ? "KILLED" : "FINISHED";
  const start = now - (i === 0 ? 40_000 : i * 1.7 * HOUR * (0.8 + rnd() * 0.4));
  return {
    id: hex(32),
    name: `${words[i % 8]}-${birds[i % 6]}-${400 - (i % 400)}`,
    experiment_id: i % 5 === 3 ? "2" : "1",
    user: i % 4 === 0 ? "rondo:retrain" : i % 3 ? "anna" : "jonas",
    status,
    start,
    ...(status === "RUNNING" ? {} : { end: start + 3200 + rnd() * 2500 }),
    metrics: (status === "FAILED" ? {} : { test_auc: auc, test_recall: 0.74 + normal() * 0.02, test_brier: 0.138 + normal() * 0.002, test_f1: 0.62 + normal() * 0.01, train_logloss: 0.36, validation_logloss: 0.41 }) as RunRow["metrics"],
    params: { algorithm, max_depth: String(depth), learning_rate: i % 2 ? "0.1" : "0.05", rounds: "300", early_stopping: "20", seed: "7", threshold: (0.2 + rnd() * 0.05).toFixed(4) },
    tags: { "mlflow.source.git.commit": commits[i % 3] as string, "rondo.trigger": i % 4 === 0 ? "drift" : "person" },
  } satisfies RunRow;
});

export function curvesOf(run: RunRow, time: boolean): Curve[] {
  if (run.status === "FAILED") return [];
  const live = run.status === "RUNNING";
  const n = live ? 60 + Math.floor((Date.now() - now) / 300) % 240 : 300;
  const make = (key: string, f: (i: number) => number): Curve => ({ run: run.id, key, total: n, exact: true, x: Array.from({ length: n }, (_, i) => (time ? run.start + i * 14 : i)), value: Array.from({ length: n }, (_, i) => f(i)) });
  const h = parseInt(run.id.slice(0, 6), 16) / 0xffffff;
  const noise = (i: number, k: number) => Math.sin(i * 12.9898 * k + h * 78.233) * 0.004;
  return [
    make("train_logloss", (i) => 0.34 + 0.3 * Math.exp(-i / (28 + h * 10)) + noise(i, 1) * 0.4),
    make("validation_logloss", (i) => 0.4 + 0.27 * Math.exp(-i / (26 + h * 10)) + 0.00008 * i + noise(i, 2)),
    make("train_auc", (i) => 0.9 - 0.12 * Math.exp(-i / 60) + noise(i, 3) * 0.3),
    make("validation_auc", (i) => 0.848 - 0.1 * Math.exp(-i / 25) - 0.00002 * i + noise(i, 4)),
    make("seconds_per_round", (i) => (i === 140 ? 0.19 : 0.011 + Math.abs(noise(i, 5)))),
  ];
}

export function detail(run: RunRow): RunDetail {
  return {
    ...run,
    artifact_uri: `mlflow-artifacts:/1/${run.id}/artifacts`,
    inputs: [{ name: "customers", digest: hex(32), source_type: "local", source: "data/telco_churn.csv", context: "training", ref: { kind: "dataset", id: "customers/3" } }],
    came_from: [{ kind: "pipeline_run", id: "p0042" }, { kind: "commit", id: commits[0] as string }, { kind: "dataset", id: "customers/3" }],
    produced: run === runs[3] ? [{ kind: "version", id: "churn/7" }] : run === runs[1] ? [{ kind: "version", id: "churn/8" }] : [],
  };
}
export const days = DAY;
