// All datasets with their newest version.
import { api, useApi } from "../../api/client";
import type { DatasetSummary, Verdict } from "../../api/types";
import { Chip } from "../../components/Chip";
import { Loaded, Page } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { bytes, count, list, plural } from "../../lib/format";

export function verdictOf(all: DatasetSummary[]): Verdict {
  if (!all.length) return { state: "idle", text: "No data has been ingested yet" };
  const broken = all.filter((d) => d.latest && !d.latest.accepted);
  if (broken.length) return { state: "bad", text: `The contract of ${list(broken.map((d) => d.name))} fails: ${plural(broken.reduce((n, d) => n + (d.latest?.errors ?? 0), 0), "error")}` };
  const warned = all.filter((d) => (d.latest?.warnings ?? 0) > 0);
  const rows = all.reduce((n, d) => n + (d.latest?.rows ?? 0), 0);
  return warned.length
    ? { state: "warn", text: `All contracts hold; ${list(warned.map((d) => d.name))} ${warned.length === 1 ? "has" : "have"} warnings` }
    : { state: "ok", text: `${plural(all.length, "dataset")} of ${count(rows)} rows; ${all.length === 1 ? "its contract holds" : "all contracts hold"}` };
}

export function DatasetsPage() {
  const data = useApi<DatasetSummary[]>(api("/datasets"));
  return (
    <Loaded from={data} title="Data">
      {(all) => (
        <Page title="Data" verdict={verdictOf(all)}>
          {all.length === 0 ? (
            <Empty text="A dataset is named in rondo.yaml and becomes a version at each ingest:" code={"data: {customers: {from: data/customers.csv}}\n\nrondo run ingest"} />
          ) : (
            <Table label="datasets" rows={all} id={(d) => d.name} href={(d) => `/data/${encodeURIComponent(d.name)}`}
              columns={[
                { key: "name", title: "dataset", cell: (d) => <a href={`/data/${encodeURIComponent(d.name)}`}><strong>{d.name}</strong></a> },
                { key: "contract", title: "contract", cell: (d) => (d.latest ? <><StateMark state={!d.latest.accepted ? "bad" : d.latest.warnings ? "warn" : "ok"} /> {d.latest.accepted ? `${d.latest.checks} checks hold` : plural(d.latest.errors, "error")}{d.latest.warnings ? `, ${plural(d.latest.warnings, "warning")}` : ""}</> : <span class="faint">not ingested</span>) },
                { key: "rows", title: "rows", num: true, cell: (d) => (d.latest ? count(d.latest.rows) : "–") },
                { key: "columns", title: "columns", num: true, cell: (d) => d.latest?.columns ?? "–" },
                { key: "bytes", title: "size", num: true, cell: (d) => (d.latest ? bytes(d.latest.bytes) : "–") },
                { key: "versions", title: "versions", num: true, cell: (d) => d.versions },
                { key: "latest", title: "newest", cell: (d) => (d.latest ? <Chip value={{ kind: "dataset", id: `${d.name}/${d.latest.number}`, label: `v${d.latest.number}` }} bare /> : "–") },
                { key: "time", title: "ingested", cell: (d) => <span class="dim"><Time at={d.latest?.time} /></span> },
                { key: "source", title: "source", grow: true, cell: (d) => <code class="dim" title={d.source}>{d.source}</code> },
              ]} />
          )}
        </Page>
      )}
    </Loaded>
  );
}
