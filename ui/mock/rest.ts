// Made-up endpoints, windows, datasets, pipeline runs, audit.
import type { Alarm, AuditEntry, Json, DatasetVersionDetail, Endpoint, MonitorCell, MonitorView, Overview, PipelineRun, Profile, StageRun } from "../src/api/types";
import { inputs, versions } from "./models";
import { DAY, HOUR, MIN, hex, normal, now, rnd } from "./random";
import { commits, runs } from "./runs";

const bell = (n: number, total: number, centre: number, width: number) => Array.from({ length: n }, (_, i) => Math.round((total * Math.exp(-(((i - centre) / width) ** 2) / 2)) / (width * 2.5)));
const falling = (n: number, total: number, shift: number) => Array.from({ length: n }, (_, i) => Math.round(((total * Math.exp(-i / (6 + shift))) / (6 + shift)) * (1 + 0.1 * Math.sin(i * 3))));

export const endpoint: Endpoint = {
  name: "churn", model: "churn", state: "busy", requests: 18_412, errors: 3, since: now - 6 * DAY, previous: 6, inputs,
  variants: [
    { role: "champion", model: "churn", version: 7, weight: 0.75, requests: 17_910, errors: 2, latency_ms: { p50: 0.021, p95: 0.044, p99: 0.118 }, scores: { low: 0, high: 1, counts: falling(20, 17_910, 0) }, runtime: "trees" },
    { role: "challenger", model: "churn", version: 8, weight: 0.25, requests: 502, errors: 1, latency_ms: { p50: 0.022, p95: 0.046, p99: 0.131 }, scores: { low: 0, high: 1, counts: falling(20, 502, 1) }, runtime: "trees" },
  ],
  rollout: {
    id: "r12", kind: "canary", state: "running", from: 7, to: 8, steps: [0.05, 0.25, 1], step: 1, started: now - 33 * MIN, hold: { requests: 500, time_ms: 600_000 }, progress: { requests: 388, time_ms: 412_000 }, why: "retrain after drift in tenure",
    guards: [
      { guard: "error_rate <= 1%", value: 0.00199, limit: 0.01, samples: 502, needed: 300, verdict: "pass" },
      { guard: "latency_p99_ms <= 1.5 * champion", value: 0.131, limit: 0.177, samples: 502, needed: 200, verdict: "pass" },
      { guard: "score_psi <= 0.25", value: 0.021, limit: 0.25, samples: 502, needed: 500, verdict: "pass" },
      { guard: "auc >= champion - 0.005", value: null, limit: null, samples: 0, needed: 200, verdict: "inconclusive", why: "no labels yet" },
    ],
  },
  events: [
    { time: now - 7 * MIN, actor: "rondo:rollout", action: "advance", text: "step 2: 25% to v8; all guards passed with 502 samples" },
    { time: now - 33 * MIN, actor: "rondo:rollout", action: "start", text: "canary of v8 beside v7: 5%, 25%, 100%" },
    { time: now - 5.4 * DAY, actor: "rondo:rollout", action: "promote", text: "v7 is champion" },
    { time: now - 8 * DAY, actor: "anna", action: "rollback", text: "back to v6: support saw odd scores for new contracts" },
  ],
};

const names = inputs.map((i) => i.name);
const N = 14;
const cells = (f: (i: number) => number, drift: (i: number) => boolean): MonitorCell[] => Array.from({ length: N }, (_, k) => {
  const index = k + 1;
  const psi = Math.abs(f(index));
  return { index, rows: index === N ? 380 : 1000, psi, p: drift(index) ? 1e-9 : 0.3 * rnd() + 0.1, q: drift(index) ? 1e-8 : 0.6, verdict: index === N ? "few" : drift(index) ? "drift" : "ok", nulls: 0, unseen: 0 };
});
export const monitor: MonitorView = {
  endpoint: "churn", version: 7, shown: N, windows: N - 1, rows: 13_380, window: { rows: 1000, time_ms: 0 }, limits: { effect: 0.2, q: 0.05, share: 0.2, performance: "auc < 0.80" }, baseline: { metric: "auc", value: 0.8446 },
  list: Array.from({ length: N }, (_, k) => ({ index: k + 1, start: now - (N - k) * 9 * HOUR, end: now - (N - k - 1) * 9 * HOUR, rows: k + 1 === N ? 380 : 1000, version: 7, closed: k + 1 < N })),
  columns: names.map((name) => ({
    name, type: inputs.find((i) => i.name === name)!.type,
    windows: name === "tenure" ? cells((i) => (i > 8 ? 0.07 * (i - 7) : 0.01 + rnd() * 0.02), (i) => i > 10) : name === "monthly_charges" ? cells((i) => (i > 9 ? 0.12 : 0.02), () => false) : cells(() => 0.004 + rnd() * 0.025, () => false),
  })),
  scores: { name: "score", type: "float", windows: cells((i) => (i > 8 ? 0.05 * (i - 8) : 0.01), (i) => i > 12) },
  performance: Array.from({ length: N - 2 }, (_, k) => {
    const labelled = Math.max(40, 900 - k * 75);
    const value = 0.843 - (k > 7 ? (k - 7) * 0.013 : 0) + normal() * 0.004;
    return { index: k + 1, start: now - (N - k) * 9 * HOUR, end: now - (N - k - 1) * 9 * HOUR, metric: "auc", value, low: value - 0.5 / Math.sqrt(labelled), high: value + 0.5 / Math.sqrt(labelled), rows: 1000, labelled };
  }),
};
export const distribution = (column: string) => {
  const input = inputs.find((i) => i.name === column);
  if (input?.values) return { labels: input.values, reference: input.values.map((_, i) => 2000 - i * 450), window: input.values.map((_, i) => 480 - i * 110) };
  return { edges: [0, 1, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66, 72], reference: [230, 360, 420, 300, 260, 330, 310, 290, 280, 270, 260, 250, 280, 300, 410], window: column === "tenure" ? [140, 190, 170, 120, 80, 70, 55, 40, 35, 25, 20, 20, 15, 10, 10] : [50, 79, 90, 70, 60, 75, 65, 60, 62, 55, 58, 50, 61, 70, 95] };
};
export const alarms: Alarm[] = [
  { id: "a0000000000000000000000000000013", kind: "drift", endpoint: "churn", version: 7, columns: ["tenure"], window: 11, rows_seen: 11_000, time: now - 70 * MIN, state: "open", evidence: { column: "tenure", psi: 0.312, p: 3.1e-44, q: 4.6e-43, rows: 1000, reference_rows: 4225 }, caused: [{ kind: "pipeline_run", id: "p0042" }, { kind: "version", id: "churn/8" }] },
  { id: "a0000000000000000000000000000012", kind: "performance", endpoint: "churn", version: 7, columns: [], window: 11, rows_seen: 11_000, time: now - 50 * MIN, state: "open", evidence: { metric: "auc", value: 0.791, low: 0.752, high: 0.83, labelled: 310 } },
];

const deps: Record<string, string[]> = { ingest: [], check: ["ingest"], profile: ["ingest"], split: ["ingest", "check"], prepare: ["split"], train: ["split", "prepare"], evaluate: ["train", "split"], register: ["train", "evaluate"], deploy: ["register"] };
const took: Record<string, number> = { ingest: 0.21, check: 0.08, profile: 0.31, split: 0.12, prepare: 0.18, train: 1.94, evaluate: 1.21, register: 0.09, deploy: 0.05 };
const summaries: Record<string, string> = { ingest: "7,043 rows, 21 columns", check: "24 checks hold", split: "4,226 / 1,408 / 1,409", prepare: "18 → 41 columns", train: "xgboost, 143 rounds", evaluate: "auc 0.8451, 5 of 5 gates", register: "churn v8", deploy: "canary of v8" };
export const pipelineRuns: PipelineRun[] = Array.from({ length: 40 }, (_, k) => {
  const status = k === 0 ? "running" : k % 11 === 5 ? "failed" : "succeeded";
  const started = now - (k === 0 ? 3_000 : k * 7.3 * HOUR);
  let at = started + 60;
  let broken = false;
  const stages: StageRun[] = Object.keys(deps).map((name) => {
    const skip = k % 3 === 1 && ["ingest", "check", "profile", "split"].includes(name);
    let s: StageRun["status"] = skip ? "skipped" : "succeeded";
    if (k === 0) s = name === "train" ? "running" : ["evaluate", "register", "deploy"].includes(name) ? "waiting" : s;
    if (status === "failed") {
      if (name === "evaluate") s = "failed";
      else if (broken) s = "waiting";
    }
    if (s === "failed") broken = true;
    const ran = s === "succeeded" || s === "failed" || s === "running";
    const start = at;
    if (ran) at += (took[name] as number) * 1000;
    return { name, status: s, attempts: ran ? 1 : 0, seconds: ran ? (took[name] as number) : 0, ...(ran ? { started: start, ...(s === "running" ? {} : { ended: at }) } : {}), ...(s === "failed" ? { exit_code: 1, summary: "recall 0.688 is below 0.70" } : summaries[name] ? { summary: summaries[name] } : {}), deps: deps[name] as string[], why: ran ? (name === "ingest" ? [{ what: "data/telco_churn.csv", before: hex(32), after: hex(32) }] : name === "train" ? [{ what: "out/split/train.parquet", before: hex(32), after: hex(32) }, { what: "train.params.max_depth", before: "4", after: "5" }] : [{ what: `out/${(deps[name] as string[])[0]}`, before: hex(32), after: hex(32) }]) : [] };
  });
  return { id: `p${String(42 - k).padStart(4, "0")}`, status, started, ...(status === "running" ? {} : { ended: at }), trigger: k === 0 ? "drift" : k % 4 === 0 ? "cron" : "person", ...(k === 0 ? { cause: `alarm:${alarms[0]!.id}` } : {}), actor: k === 0 ? "rondo:retrain" : "anna", commit: commits[k % 3] as string, run_id: runs[k]!.id, stages, metrics: (status === "succeeded" ? { auc: 0.845 + normal() * 0.002 } : {}) as PipelineRun["metrics"] };
});

const acts: [string, string, string, string][] = [
  ["rondo:rollout", "rollout.advance", "endpoint churn", "step 2: 25% to v8; all guards passed"],
  ["rondo:rollout", "rollout.start", "version churn/8", "canary: 5%, 25%, 100%"],
  ["rondo:retrain", "version.create", "version churn/8", "auc 0.8451, 5 of 5 gates"],
  ["rondo:monitor", "alarm.raise", `alarm ${alarms[1]!.id}`, "auc 0.791 on 310 labels, limit 0.80"],
  ["rondo:retrain", "run.start", "pipeline_run p0042", "drift in tenure, PSI 0.312"],
  ["rondo:monitor", "alarm.raise", `alarm ${alarms[0]!.id}`, "tenure drifts: PSI 0.312 in window 11"],
  ["mira", "approval.add", "version churn/8", "approved: figures and slices read"],
  ["rondo:rollout", "alias.set", "version churn/7", "all 5 guards passed at 100%"],
  ["anna", "rollout.rollback", "endpoint churn", "support saw odd scores for new contracts"],
  ["jonas", "alias.set", "version churn/5", "better recall for two-year contracts"],
];
export const audit: AuditEntry[] = Array.from({ length: 104 }, (_, k) => {
  const [actor, action, object, reason] = acts[k % acts.length]!;
  const [kind, id] = object.split(" ") as [string, string];
  return { seq: 104 - k, time: now - (k === 0 ? 7 * MIN : k * 31 * MIN), actor, action, object, reason, before: (action === "alias.set" ? { alias: "champion", version: 6 } : action === "rollout.advance" ? { step: 0, weights: { "7": 0.95, "8": 0.05 } } : null) as Json, after: (action === "alias.set" ? { alias: "champion", version: 7 } : action === "rollout.advance" ? { step: 1, weights: { "7": 0.75, "8": 0.25 } } : { state: "done" }) as Json, prev_hash: hex(64), hash: hex(64), ref: { kind: kind as never, id } };
});

export const overview: Overview = {
  project: "churn", user: "anna", verdict: { state: "warn", text: "churn v7 answers 75% of the traffic; tenure drifts and v8, retrained on it, is on canary" },
  stages: [
    { name: "problem", state: "ok", fact: "churn = Yes", detail: "5 success criteria" },
    { name: "data", state: "ok", fact: "customers v3", detail: "7,043 rows, 24 checks hold", time: now - 2.1 * HOUR, ref: { kind: "dataset", id: "customers/3" } },
    { name: "prepare", state: "ok", fact: "18 → 41 columns", time: now - 34 * MIN, ref: { kind: "pipeline_run", id: "p0042" } },
    { name: "build", state: "ok", fact: "auc 0.8451", detail: "brisk-heron-399", time: now - 34 * MIN, ref: { kind: "run", id: runs[1]!.id } },
    { name: "test", state: "ok", fact: "5 of 5 gates", detail: "churn v8", time: now - 34 * MIN, ref: { kind: "version", id: "churn/8" } },
    { name: "deploy", state: "busy", fact: "25% v8", detail: "75% v7, canary step 2 of 3", time: now - 7 * MIN, ref: { kind: "endpoint", id: "churn" } },
    { name: "monitor", state: "warn", fact: "tenure drifts", detail: "PSI 0.312 in window 11", time: now - 70 * MIN },
    { name: "feedback", state: "bad", fact: "auc 0.84 → 0.79", detail: "31% labelled", time: now - 50 * MIN },
    { name: "retrain", state: "busy", fact: "train runs", detail: "for drift", time: now - 3000, ref: { kind: "pipeline_run", id: "p0042" } },
  ],
  waiting: [
    { kind: "approval", text: "v8 needs 1 more approval by risk", time: now - 33 * MIN, ref: { kind: "version", id: "churn/8" } },
    { kind: "alarm", text: "auc 0.791 is below 0.80 (310 labels)", time: now - 50 * MIN, ref: { kind: "alarm", id: alarms[1]!.id } },
  ],
  events: audit.slice(0, 12).map(({ seq, time, actor, action, object, reason, ref }) => ({ seq, time, actor, action, object, reason, ...(ref ? { ref } : {}) })),
};

function profile(shift: number): Profile {
  const columns: Profile["columns"] = {};
  for (const i of inputs) {
    if (i.values) columns[i.name] = { type: "category", count: 7043, nulls: 0, distinct: i.values.length, top: i.values.map((v, k) => ({ value: v, count: Math.round(7043 / (k + 1.6)) })) };
    else {
      const n = 24;
      const counts = i.name === "tenure" ? Array.from({ length: n }, (_, k) => Math.round(220 + 380 * Math.exp(-k / 2.5) + (k > 20 ? 180 : 0))) : bell(n, 7043, 9 + shift, 5);
      columns[i.name] = { type: i.type, count: 7043 - (i.name === "total_charges" ? 11 : 0), nulls: i.name === "total_charges" ? 11 : 0, distinct: 73, min: 0, max: 72, mean: 32.37 + shift, std: 24.56, quantiles: { "0.25": 9, "0.5": 29, "0.75": 55 }, histogram: { edges: Array.from({ length: n + 1 }, (_, k) => k * 3), counts } };
    }
  }
  return { rows: 7043, columns };
}
export const datasetVersions: DatasetVersionDetail[] = [3, 2, 1].map((n) => ({
  dataset: "customers", number: n, md5: hex(32), time: now - (4 - n) * 2.1 * DAY + 2 * DAY, rows: 7043 - (3 - n) * 412, bytes: 310_000 + n * 4000, columns: 21, source: "data/telco_churn.csv", commit: commits[n - 1]!, pipeline_run: `p00${39 + n}`, accepted: n !== 2, errors: n === 2 ? 1 : 0, warnings: n === 3 ? 0 : 1, checks: 24, added: n === 2 ? ["tech_support"] : [], removed: [], retyped: [],
  schema: inputs.map(({ name, type }) => ({ name, type })), profile: profile(0), previous: n > 1 ? profile(-1.2) : null, ...(n > 1 ? { previous_number: n - 1 } : {}),
  check: { dataset: "customers", rows: 7043, checks: 24, passed: n !== 2, anomalies: n === 2 ? [{ column: "contract", kind: "ENUM_TYPE_UNEXPECTED_STRING_VALUES", severity: "ERROR", message: "has the value \"Weekly\", which isn't one of Month-to-month, One year, Two year", count: 17, samples: [{ row: 120, value: "Weekly" }, { row: 377, value: "Weekly" }] }, { column: "tech_support", kind: "SCHEMA_NEW_COLUMN", severity: "WARNING", message: "is new since version 1", count: 0, samples: [] }] : [] },
  used_by: n === 3 ? [{ kind: "run", id: runs[1]!.id }, { kind: "version", id: "churn/8" }] : [], came_from: [{ kind: "pipeline_run", id: `p00${39 + n}` }, { kind: "commit", id: commits[n - 1]! }],
}));
export { versions };
