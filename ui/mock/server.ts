// The API on made-up data, for working on the pages without a server (./dev ui). Never part of a build.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import type { SearchHit } from "../src/api/types";
import { model, summaries, versionDetail } from "./models";
import { hex, now } from "./random";
import { alarms, audit, datasetVersions, distribution, endpoint, monitor, overview, pipelineRuns } from "./rest";
import { detail, runs, curvesOf } from "./runs";

const empty = process.env["RONDO_MOCK"] === "empty";

function answer(path: string, query: URLSearchParams): unknown {
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  const [what, a, b, c, d] = parts;
  switch (what) {
    case "overview": return empty ? { ...overview, verdict: { state: "idle", text: "churn has not run yet" }, stages: overview.stages.map((s, i) => ({ name: s.name, state: i ? "idle" : "ok", fact: i ? "nothing yet" : s.fact })), waiting: [], events: [] } : overview;
    case "projects": return [{ name: "churn", description: "", config: { problem: { task: "binary", target: "churn", positive: "Yes", owner: "growth@example.org", risk: "limited", intended_use: "The retention team calls the 200 customers with the highest scores each week.", success: ["auc >= 0.83", "recall >= 0.70", "auc >= champion - 0.005", "demographic_parity_ratio[female] >= 0.80"].map((text) => ({ text, warn: false })) } } }];
    case "datasets":
      if (empty) return [];
      if (!a) return [{ name: "customers", source: "data/telco_churn.csv", versions: 3, latest: datasetVersions[0] }];
      if (!b) return datasetVersions;
      return datasetVersions.find((v) => String(v.number) === b);
    case "experiments": return [{ id: "1", name: "churn", updated: now, views: {} }, { id: "2", name: "growth/churn/text", updated: now, views: { "by depth": "group=p.max_depth" } }, { id: "3", name: "growth/churn/tables", updated: now, views: {} }, { id: "4", name: "growth/uplift", updated: now, views: {} }, { id: "0", name: "Default", updated: now, views: {} }];
    case "runs": {
      if (empty) return { runs: [], keys: { metrics: [], params: [], tags: [] }, next_page_token: "" };
      if (!a) {
        const max = Number(query.get("max") ?? 500);
        const from = Number(query.get("page_token") ?? 0);
        const experiment = query.get("experiment");
        let list = experiment ? runs.filter((r) => r.experiment_id === experiment) : runs;
        const order = /metrics\.(\w+) (ASC|DESC)/.exec(query.get("order_by") ?? "");
        if (order) list = [...list].sort((x, y) => (Number(x.metrics[order[1]!] ?? -1) - Number(y.metrics[order[1]!] ?? -1)) * (order[2] === "ASC" ? 1 : -1));
        return { runs: list.slice(from, from + max), keys: { metrics: [...new Set(list.flatMap((r) => Object.keys(r.metrics)))], params: [...new Set(list.flatMap((r) => Object.keys(r.params)))], tags: [] }, next_page_token: from + max < list.length ? String(from + max) : "" };
      }
      const run = runs.find((r) => r.id === a);
      if (!run) return undefined;
      if (b === "artifacts") return query.get("path") ? [{ path: "model/model.onnx", is_dir: false, size: 412311 }, { path: "model/signature.json", is_dir: false, size: 2104 }] : [{ path: "model", is_dir: true, size: 0 }, { path: "metrics.json", is_dir: false, size: 18022 }, { path: "report.html", is_dir: false, size: 96000 }, { path: "card.md", is_dir: false, size: 2200 }];
      if (b === "files") return { task: "binary", threshold: 0.2143, test: { auc: { value: 0.8446, low: 0.826, high: 0.864 } } };
      return detail(run);
    }
    case "metrics": {
      const asked = (query.get("runs") ?? "").split(",");
      const curves = runs.filter((r) => asked.includes(r.id)).flatMap((r) => curvesOf(r, query.get("axis") === "time"));
      if (a === "keys") return [...new Set(curves.map((c) => c.key))].sort().map((key) => ({ key, runs: asked.length, curves: curves.filter((c) => c.key === key).length }));
      const keys = query.get("keys")?.split(",");
      return curves.filter((c) => !keys || keys.includes(c.key));
    }
    case "compare": return (query.get("runs") ?? "").split(",").flatMap((id) => runs.filter((r) => r.id === id).map(detail));
    case "models": return empty ? [] : !a ? summaries : !b ? model : versionDetail(Number(b));
    case "endpoints":
      if (empty) return [];
      if (!a) return [endpoint];
      if (b === "monitor") return { ...monitor, shown: Number(query.get("window") ?? 14), columns: monitor.columns.map((col) => ({ ...col, distribution: distribution(col.name) })) };
      if (b === "alarms") return alarms;
      return endpoint;
    case "pipeline":
      if (a === "plan") return { stages: [{ name: "train", action: "run", deps: [], why: [{ what: "train.params.max_depth", before: "4", after: "5" }] }, { name: "evaluate", action: "run", deps: ["train"], why: [] }, { name: "ingest", action: "skip", deps: [], why: [] }] };
      if (a === "triggers") return [{ name: "retrain", kind: "drift", rule: "drift, performance, 1000 labels", last: now - 70 * 60_000 }, { name: "nightly", kind: "cron", rule: "0 3 * * *", last: now - 20 * 3_600_000, next: now + 4 * 3_600_000 }];
      if (empty) return [];
      if (!b) return pipelineRuns;
      if (c === "logs") return { text: `${d}: reading out/split/train.parquet\n${d}: 4,226 rows, 41 columns\n` + Array.from({ length: 30 }, (_, i) => `round ${i * 10}  train_logloss ${(0.6 * Math.exp(-i / 6) + 0.34).toFixed(5)}  validation_logloss ${(0.5 * Math.exp(-i / 6) + 0.41).toFixed(5)}`).join("\n") + `\nrondo: summary=done\n`, offset: 1000, done: true };
      return pipelineRuns.find((r) => r.id === b);
    case "audit": return a === "verify" ? { entries: 104, head: hex(64), faults: [], milliseconds: 3 } : empty ? { entries: [], next: 0 } : { entries: audit.filter((e) => !query.get("actor") || e.actor === query.get("actor")).slice(0, 100), next: 4 };
    case "policies": return { approvals: [{ alias: "champion", roles: ["risk"], count: 2, not_author: true }], pending: empty ? [] : [{ ref: { kind: "version", id: "churn/8" }, text: "approval for @champion", time: now - 1_980_000, have: 1, need: 2 }] };
    case "search": return runs.filter((r) => r.name.includes(query.get("q") ?? "") || r.id.startsWith(query.get("q") ?? "")).slice(0, 6).map((r): SearchHit => ({ ref: { kind: "run", id: r.id, label: r.name }, text: r.status.toLowerCase() })).concat([{ ref: { kind: "version", id: "churn/7" }, text: "champion" }]);
    case "lineage": {
      const id = query.get("id") ?? "";
      const node = (kind: string, nid: string, title: string, relation: string, depth: number) => ({ kind, id: nid, title, relation, via: "version churn/7", depth, time: now - depth * 1e6, facts: null });
      const inputs = Object.fromEntries(endpoint.inputs.map((i) => [i.name, i.example as never]));
      return { subject: { ...node("prediction", id, "Yes with 0.684 by churn/7", "", 0), facts: { endpoint: "churn", version: "churn/7", variant: "champion", score: 0.6841, decision: "Yes", label: "Yes", inputs } }, upstream: [node("version", "churn/7", "churn/7, champion", "scored", 1), node("run", runs[3]!.id, "dense-wren-397", "produced", 2), node("dataset", "customers/3", "customers v3, 7,043 rows", "read", 3), node("commit", "00fb8673aa12", "the code", "trained", 3)], downstream: [node("alarm", alarms[0]!.id, "tenure drifts", "raised", 1), node("pipeline_run", "p0042", "retrain on drift", "caused", 2)] };
    }
    default: return undefined;
  }
}

export function mockApi(): Plugin {
  const serve = (request: IncomingMessage, response: ServerResponse, next: () => void) => {
    const url = new URL(request.url ?? "/", "http://local");
    const json = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    if (url.pathname === "/api/v1/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
      response.write(": hello\n\n");
      const timer = setInterval(() => response.write("event: change\ndata: {}\n\n"), 2000);
      request.on("close", () => clearInterval(timer));
    } else if (url.pathname.startsWith("/v2/")) {
      const id = hex(32);
      json(200, { id, model_name: "churn", model_version: "7", outputs: [{ name: "score", shape: [1, 1], datatype: "FP32", data: [0.6841] }, { name: "decision", shape: [1, 1], datatype: "BYTES", data: ["Yes"] }] }, { "x-rondo-prediction-id": id, "x-rondo-version": "7", "x-rondo-variant": "champion" });
    } else if (url.pathname.startsWith("/api/v1/")) {
      const body = answer(url.pathname.slice(7), url.searchParams);
      if (body === undefined) json(404, { error_code: "NOT_FOUND", message: `there is nothing at ${url.pathname}`, hint: "follow a link from the list" });
      else json(200, body);
    } else next();
  };
  return {
    name: "rondo-mock",
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => void server.middlewares.use(serve),
  };
}
