// Made by tools/types.mjs from the server's OpenAPI; tests/ui checks that it is what the server says. Don't edit.
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface AliasChange {
  model: string;
  alias: string;
  from?: number;
  to?: number;
  time: number;
  actor: string;
  reason: string;
}

export interface Artifact {
  path: string;
  is_dir: boolean;
  size: number;
}

export interface Curve {
  run: string;
  key: string;
  total: number;
  exact: boolean;
  x: number[];
  value: Num[];
}

export interface CurveKey {
  key: string;
  runs: number;
  curves: number;
}

export interface Experiment {
  id: string;
  name: string;
  updated: number;
  views: Record<string, string>;
}

export interface GateResult {
  gate: string;
  value: Num;
  limit: Num;
  passed: boolean;
  warn: boolean;
  why: string;
}

export interface Interval {
  value: Num;
  low?: Num;
  high?: Num;
}

export interface ModelDetail {
  name: string;
  description: string;
  versions: number;
  updated: number;
  aliases: Record<string, number>;
  endpoints: string[];
  champion?: VersionRow;
  rows: VersionRow[];
  history: AliasChange[];
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

export type Num = number | "NaN" | "Infinity" | "-Infinity" | null;

export interface Ref {
  kind: string;
  id: string;
  label?: string;
}

export interface Run {
  id: string;
  name: string;
  experiment_id: string;
  user: string;
  status: string;
  start: number;
  end?: number;
  metrics: Record<string, Num>;
  params: Record<string, string>;
  tags: Record<string, string>;
}

export interface RunDetail {
  id: string;
  name: string;
  experiment_id: string;
  user: string;
  status: string;
  start: number;
  end?: number;
  metrics: Record<string, Num>;
  params: Record<string, string>;
  tags: Record<string, string>;
  artifact_uri: string;
  inputs: RunInput[];
  came_from: Ref[];
  produced: Ref[];
}

export interface RunInput {
  name: string;
  digest: string;
  source_type: string;
  source: string;
  context: string;
  ref?: Ref;
}

export interface RunKeys {
  metrics: string[];
  params: string[];
  tags: string[];
}

export interface RunPage {
  runs: Run[];
  keys: RunKeys;
  next_page_token: string;
}

export interface Table {
  rows: number;
  columns: TableColumn[];
  cells: ((string | null)[])[];
}

export interface TableColumn {
  name: string;
  type: string;
}

export interface VersionRow {
  name: string;
  version: number;
  time: number;
  user: string;
  run_id: string;
  digest: string;
  status: string;
  stage: string;
  description: string;
  aliases: string[];
  endpoints: string[];
  metrics: Record<string, Interval>;
  gates: GateResult[];
  approved: number;
  rejected: number;
}

/** What each address answers. */
export interface Answers {
  "GET /api/v1/compare": RunDetail[];
  "GET /api/v1/experiments": Experiment[];
  "GET /api/v1/metrics": Curve[];
  "GET /api/v1/metrics/keys": CurveKey[];
  "GET /api/v1/models": ModelSummary[];
  "GET /api/v1/models/{name}": ModelDetail;
  "GET /api/v1/runs": RunPage;
  "GET /api/v1/runs/{id}": RunDetail;
  "GET /api/v1/runs/{id}/artifacts": Artifact[];
  "GET /api/v1/runs/{id}/table/{path}": Table;
}
