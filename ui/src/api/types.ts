// The shape of every /api/v1 resource the pages read. docs/api.md describes the same; src/api/v1_*.cc writes it.
// Times are milliseconds since 1970 (UTC). Numbers JSON can't hold arrive as "NaN", "Infinity", "-Infinity".

export type Num = number | "NaN" | "Infinity" | "-Infinity" | null;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** ok, busy, warn, bad, and idle: nothing happened yet. */
export type State = "ok" | "busy" | "warn" | "bad" | "idle";

export interface Verdict {
  state: State;
  text: string;
}

export type RefKind =
  | "dataset" | "commit" | "config" | "run" | "pipeline_run" | "version" | "model" | "endpoint" | "prediction" | "alarm" | "label" | "actor" | "audit";

/** A thing with an id, as every chip shows it. Ids: dataset "customers/3", version "churn/7", the others their own id. */
export interface Ref {
  kind: RefKind;
  id: string;
  label?: string;
}

export interface ApiError {
  error_code: string;
  message: string;
  hint?: string;
}

// ---- GET /api/v1/projects

export interface Project {
  name: string;
  description: string;
  /** rondo.yaml as read: problem, data, split, features, train, evaluate, deploy, monitor, retrain, govern. Null: the server has no project folder. */
  config: Json;
}

// ---- GET /api/v1/overview

export type StageName = "problem" | "data" | "prepare" | "build" | "test" | "deploy" | "monitor" | "feedback" | "retrain";

export interface LoopStage {
  name: StageName;
  state: State;
  fact: string;
  detail?: string;
  time?: number;
  ref?: Ref;
}

export interface HistoryEvent {
  seq: number;
  time: number;
  actor: string;
  action: string;
  object: string;
  reason: string;
  ref?: Ref;
}

export interface Waiting {
  kind: "approval" | "gate" | "alarm" | "run";
  text: string;
  time: number;
  ref: Ref;
}

export interface Overview {
  project: string;
  user: string;
  verdict: Verdict;
  stages: LoopStage[];
  waiting: Waiting[];
  events: HistoryEvent[];
}

// ---- GET /api/v1/datasets, /datasets/{name}, /datasets/{name}/{number}

export interface DatasetSummary {
  name: string;
  source: string;
  versions: number;
  latest?: DatasetVersion;
}

export interface DatasetVersion {
  dataset: string;
  number: number;
  md5: string;
  time: number;
  rows: number;
  bytes: number;
  columns: number;
  source: string;
  commit: string;
  pipeline_run: string;
  accepted: boolean;
  errors: number;
  warnings: number;
  checks: number;
  added: string[];
  removed: string[];
  retyped: string[];
}

export interface Anomaly {
  column: string;
  kind: string;
  severity: "ERROR" | "WARNING";
  message: string;
  count: number;
  samples: { row?: number; value?: Json }[];
}

export interface CheckReport {
  dataset: string;
  rows: number;
  checks: number;
  passed: boolean;
  anomalies: Anomaly[];
}

export interface ColumnProfile {
  type: string;
  count: number;
  nulls: number;
  distinct?: number;
  min?: Json;
  max?: Json;
  mean?: Num;
  std?: Num;
  quantiles?: Record<string, Num>;
  top?: { value: Json; count: number }[];
  histogram?: { low: number; high: number; count: number }[] | { edges: number[]; counts: number[] };
  approximate?: Record<string, number>;
}

export interface Profile {
  rows: number;
  columns: Record<string, ColumnProfile>;
}

export interface DatasetVersionDetail extends DatasetVersion {
  schema: { name: string; type: string }[];
  profile: Profile | null;
  previous: Profile | null;
  previous_number?: number;
  check: CheckReport | null;
  used_by: Ref[];
  came_from: Ref[];
}

// ---- GET /api/v1/experiments, /runs, /runs/{id}, /runs/{id}/metrics, /runs/{id}/artifacts

export interface Experiment {
  id: string;
  name: string;
  updated: number;
  /** Saved views of its runs: name -> query of the page. */
  views: Record<string, string>;
}

export type RunStatus = "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";

export interface RunRow {
  id: string;
  name: string;
  experiment_id: string;
  user: string;
  status: RunStatus;
  start: number;
  end?: number;
  metrics: Record<string, Num>;
  params: Record<string, string>;
  tags: Record<string, string>;
}

export interface RunPage {
  runs: RunRow[];
  /** What the runs of this page have, also where a row leaves it out. */
  keys: { metrics: string[]; params: string[]; tags: string[] };
  next_page_token: string;
}

export interface RunInput {
  name: string;
  digest: string;
  source_type: string;
  source: string;
  context: string;
  ref?: Ref;
}

export interface RunDetail extends RunRow {
  artifact_uri: string;
  inputs: RunInput[];
  came_from: Ref[];
  produced: Ref[];
}

/** GET /metrics: one metric of one run. */
export interface Curve {
  run: string;
  key: string;
  /** Points stored. */
  total: number;
  /** False: chosen among digests; no spike is lost (docs/decisions/0105). */
  exact: boolean;
  /** Ascending; of each pixel column the first, lowest, highest and last point. */
  x: number[];
  value: Num[];
}

/** GET /metrics/keys */
export interface CurveKey {
  key: string;
  /** Runs that logged it. */
  runs: number;
  /** Of those, with more than one point. */
  curves: number;
}

export interface Artifact {
  path: string;
  is_dir: boolean;
  size: number;
}

/** GET /runs/{id}/table/{path} */
export interface TableHead {
  /** Of the whole file. */
  rows: number;
  columns: { name: string; type: string }[];
  /** By column. */
  cells: (string | null)[][];
}

// ---- GET /api/v1/models, /models/{name}, /models/{name}/{version}

export interface Interval {
  value: Num;
  low?: Num;
  high?: Num;
}

export interface Gate {
  gate: string;
  value: Num;
  limit: Num;
  passed: boolean;
  warn: boolean;
  why: string;
}

export interface AliasChange {
  model: string;
  alias: string;
  from?: number;
  to?: number;
  time: number;
  actor: string;
  reason: string;
}

export interface Approval {
  model: string;
  version: number;
  digest: string;
  decision: "approved" | "rejected";
  actor: string;
  role: string;
  reason: string;
  time: number;
  /** False: the model's bytes are no longer those that were approved. */
  valid: boolean;
}

export interface VersionRow {
  name: string;
  version: number;
  time: number;
  user: string;
  run_id: string;
  digest: string;
  status: string;
  /** MLflow's stage; "None" for most. */
  stage: string;
  description: string;
  aliases: string[];
  endpoints: string[];
  metrics: Record<string, Interval>;
  gates: Gate[];
  approved: number;
  rejected: number;
}

export interface ModelSummary {
  name: string;
  description: string;
  versions: number;
  updated: number;
  aliases: Record<string, number>;
  endpoints: string[];
  champion?: VersionRow;
}

export interface ModelDetail extends ModelSummary {
  rows: VersionRow[];
  history: AliasChange[];
}

export interface Slice {
  column: string;
  value: string;
  rows: number;
  [metric: string]: Json;
}

export interface VersionDetail extends VersionRow {
  /** What docs/formats/version_facts.md holds: task, threshold, slices, fairness, baselines, importance, signature, ... */
  facts: Record<string, Json>;
  /** The champion's metrics when the champion is another version. */
  champion?: { version: number; metrics: Record<string, Interval> };
  approvals: Approval[];
  /** Approvals the policy wants before `champion` may point here; 0: none. */
  approvals_needed: number;
  /** Roles in which an approval counts; empty: any. */
  roles: string[];
  files: { path: string; size: number; sha256?: string }[];
  /** Markdown. */
  card: string;
  lineage: { data: Ref[]; run: Ref[]; serves: Ref[] };
}

// ---- GET /api/v1/endpoints, /endpoints/{name}; POST /endpoints/{name}/{advance,pause,resume,abort,rollback}

export interface Latency {
  p50: Num;
  p95: Num;
  p99: Num;
}

export interface Variant {
  role: string;
  model: string;
  version: number;
  /** Share of the traffic, 0 to 1; shadows have 0. */
  weight: number;
  requests: number;
  errors: number;
  latency_ms: Latency;
  /** Histogram of the scores over equal bins of [low, high]. */
  scores?: { low: number; high: number; counts: number[] };
  runtime?: string;
}

export interface Guard {
  guard: string;
  value: Num;
  limit: Num;
  samples: number;
  needed: number;
  verdict: "pass" | "fail" | "inconclusive";
  why?: string;
}

export interface Rollout {
  id: string;
  kind: string;
  state: "running" | "paused" | "waiting" | "promoted" | "rolled_back" | "aborted";
  from?: number;
  to: number;
  steps: number[];
  step: number;
  started: number;
  ended?: number;
  hold: { requests: number; time_ms: number };
  progress: { requests: number; time_ms: number };
  guards: Guard[];
  why: string;
}

export interface EndpointEvent {
  time: number;
  actor: string;
  action: string;
  text: string;
}

export interface EndpointInput {
  name: string;
  type: string;
  /** Allowed values seen in training, when there are few. */
  values?: string[];
  example?: Json;
}

export interface Endpoint {
  name: string;
  model: string;
  state: State;
  /** Why it can't answer as it should, in words. */
  problem?: string;
  variants: Variant[];
  rollout?: Rollout;
  events: EndpointEvent[];
  requests: number;
  errors: number;
  since: number;
  previous?: number;
  inputs: EndpointInput[];
}

// ---- GET /api/v1/endpoints/{name}/monitor, /alarms

export interface MonitorCell {
  index: number;
  rows: number;
  psi: Num;
  /** The statistic less what chance alone gives: compared with the limit. */
  effect?: Num;
  p: Num;
  q: Num;
  verdict: "ok" | "drift" | "quality" | "few" | "none";
  nulls?: number;
  unseen?: number;
}

export interface Distribution {
  /** Bins' edges (numbers) or levels (texts): counts.length = edges.length - 1, or labels.length. */
  edges?: number[];
  labels?: string[];
  reference: number[];
  window: number[];
}

export interface MonitorColumn {
  name: string;
  type: string;
  windows: MonitorCell[];
  distribution?: Distribution;
}

export interface PerformancePoint {
  index: number;
  start: number;
  end: number;
  metric: string;
  value: Num;
  low?: Num;
  high?: Num;
  estimated?: Num;
  rows: number;
  labelled: number;
}

export interface MonitorWindow {
  index: number;
  start: number;
  end: number;
  rows: number;
  version: number;
  closed: boolean;
}

export interface MonitorView {
  endpoint: string;
  version: number;
  windows: number;
  rows: number;
  window: { rows: number; time_ms: number };
  list: MonitorWindow[];
  columns: MonitorColumn[];
  scores?: MonitorColumn;
  decisions?: MonitorColumn;
  /** The window that `distribution`s are of. */
  shown: number | null;
  performance: PerformancePoint[];
  limits: { effect: number; q: number; share: number; performance?: string };
  baseline?: { metric: string; value: Num };
}

export interface Alarm {
  id: string;
  kind: "drift" | "quality" | "performance" | "concept" | "label_shift";
  endpoint: string;
  version: number;
  columns: string[];
  window: number;
  rows_seen: number;
  time: number;
  state: string;
  evidence: Json;
  model?: string;
  summary?: string;
  repeats?: number;
  /** What happened next: runs, versions. */
  caused?: Ref[];
}

// ---- GET /api/v1/pipeline/runs, /pipeline/runs/{id}, /pipeline/runs/{id}/logs/{stage}, /pipeline/plan, /pipeline/triggers; POST /pipeline/runs

export interface StageRun {
  name: string;
  status: "waiting" | "running" | "succeeded" | "failed" | "skipped" | "restored" | "cancelled";
  attempts: number;
  seconds: number;
  started?: number;
  ended?: number;
  exit_code?: number;
  summary?: string;
  deps: string[];
  why: { what: string; before: string; after: string }[];
}

export interface PipelineRun {
  id: string;
  status: "running" | "succeeded" | "failed" | "cancelled";
  started: number;
  ended?: number;
  trigger: string;
  cause?: string;
  actor?: string;
  commit?: string;
  run_id?: string;
  stages: StageRun[];
  metrics: Record<string, Num>;
}

export interface LogPart {
  text: string;
  offset: number;
  done: boolean;
}

export interface Plan {
  stages: { name: string; action: "run" | "restore" | "skip"; deps: string[]; why: { what: string; before: string; after: string }[] }[];
}

export interface Trigger {
  name: string;
  kind: string;
  rule: string;
  last?: number;
  next?: number;
}

// ---- GET /api/v1/audit; POST /api/v1/audit/verify

export interface AuditEntry {
  seq: number;
  time: number;
  actor: string;
  action: string;
  object: string;
  reason: string;
  before: Json;
  after: Json;
  prev_hash: string;
  hash: string;
  ref?: Ref;
}

export interface AuditPage {
  entries: AuditEntry[];
  /** Pass as `before` for the next page; 0: no more. */
  next: number;
}

export interface AuditReport {
  entries: number;
  head: string;
  faults: { seq: number; what: string }[];
  milliseconds: number;
}

export interface Policies {
  approvals: { alias: string; roles: string[]; count: number; not_author: boolean }[];
  pending: { ref: Ref; text: string; time: number; have: number; need: number }[];
}

// ---- GET /api/v1/search?q=, /lineage?id=

export interface SearchHit {
  ref: Ref;
  text: string;
}

export interface LineageNode {
  kind: string;
  id: string;
  title: string;
  /** How it is tied to the node before it: "scored", "produced", "read". */
  relation: string;
  /** "kind id" of the node before it. */
  via: string;
  depth: number;
  time: number;
  facts: Json;
}

export interface Lineage {
  subject: LineageNode;
  upstream: LineageNode[];
  downstream: LineageNode[];
}
