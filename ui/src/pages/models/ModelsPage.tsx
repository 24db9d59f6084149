// All registered models with their champion.
import { api, seg, useApi } from "../../api/client";
import type { ModelSummary, Verdict } from "../../api/types";
import { Chips, VersionChip } from "../../components/Chip";
import { GateMarks } from "../../components/Gates";
import { Loaded, Page } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { list, metric, plural } from "../../lib/format";
import { mainMetric } from "./models";

function verdictOf(models: ModelSummary[]): Verdict {
  if (!models.length) return { state: "idle", text: "No model has been registered yet" };
  const bare = models.filter((m) => !m.champion);
  if (bare.length) return { state: "warn", text: `${list(bare.map((m) => m.name))} ${bare.length === 1 ? "has" : "have"} no champion` };
  return { state: "ok", text: `${plural(models.length, "model")}; ${list(models.map((m) => `${m.name} is at v${m.champion?.version}`))}` };
}

export function ModelsPage() {
  const data = useApi<ModelSummary[]>(api("/models"));
  return (
    <Loaded from={data} title="Models">
      {(models) => (
        <Page title="Models" verdict={verdictOf(models)}>
          {models.length === 0 ? (
            <Empty text="A run whose gates pass registers a version by itself. From Python:" code={`import mlflow\nmlflow.set_tracking_uri("${location.origin}")\nmlflow.register_model("runs:/RUN_ID/model", "churn")`} more="or: rondo run register" />
          ) : (
            <Table label="models" rows={models} id={(m) => m.name} href={(m) => `/models/${seg(m.name)}`}
              columns={[
                { key: "name", title: "model", cell: (m) => <a href={`/models/${seg(m.name)}`}><strong>{m.name}</strong></a> },
                { key: "champion", title: "champion", cell: (m) => (m.champion ? <VersionChip model={m.name} version={m.champion.version} /> : <span class="faint">none</span>) },
                { key: "gates", title: "gates", cell: (m) => (m.champion ? <GateMarks gates={m.champion.gates} /> : "–") },
                { key: "metric", title: "main figure", num: true, cell: (m) => {
                  const k = m.champion && mainMetric([m.champion]);
                  return k && m.champion ? <><span class="dim">{k}</span> {metric(m.champion.metrics[k]?.value)}</> : "–";
                } },
                { key: "versions", title: "versions", num: true, cell: (m) => m.versions },
                { key: "aliases", title: "aliases", cell: (m) => <span class="mono small">{Object.entries(m.aliases).map(([a, v]) => `@${a} v${v}`).join("  ") || "–"}</span> },
                { key: "serving", title: "serves", cell: (m) => <Chips items={m.endpoints.map((e) => ({ kind: "endpoint", id: e }))} empty="–" /> },
                { key: "updated", title: "changed", cell: (m) => <span class="dim"><Time at={m.updated} /></span> },
                { key: "text", title: "description", grow: true, cell: (m) => <span class="dim">{m.description}</span> },
              ]} />
          )}
        </Page>
      )}
    </Loaded>
  );
}

