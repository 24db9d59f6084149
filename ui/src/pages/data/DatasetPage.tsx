// A dataset's versions as a time line.
import { api, seg, useApi } from "../../api/client";
import type { DatasetVersion } from "../../api/types";
import { Chip } from "../../components/Chip";
import { Loaded, Page } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { bytes, count, plural, short } from "../../lib/format";

export function schemaChange(v: DatasetVersion): string {
  const parts = [...v.added.map((c) => `+${c}`), ...v.removed.map((c) => `−${c}`), ...v.retyped.map((c) => `~${c}`)];
  return parts.length ? parts.join(" ") : "";
}

export function DatasetPage({ args }: { args: Record<string, string> }) {
  const name = args["dataset"] ?? "";
  const versions = useApi<DatasetVersion[]>(api(`/datasets/${seg(name)}`));
  return (
    <Loaded from={versions} title={name}>
      {(all) => {
        const newest = all[0];
        return (
          <Page title={name} crumbs={<><a href="/data">Data</a> / {name}</>}
            verdict={newest ? { state: !newest.accepted ? "bad" : newest.warnings ? "warn" : "ok", text: `v${newest.number} has ${count(newest.rows)} rows and ${newest.accepted ? `passes its ${newest.checks} checks` : `breaks its contract: ${plural(newest.errors, "error")}`}` } : { state: "idle", text: `${name} has not been ingested yet` }}>
            <Table label="versions" rows={all} id={(v) => String(v.number)} href={(v) => `/data/${seg(name)}/${v.number}`}
              columns={[
                { key: "v", title: "version", cell: (v) => <a href={`/data/${seg(name)}/${v.number}`}><strong>v{v.number}</strong></a> },
                { key: "contract", title: "contract", cell: (v) => <><StateMark state={!v.accepted ? "bad" : v.warnings ? "warn" : "ok"} /> {v.errors ? plural(v.errors, "error") : v.warnings ? plural(v.warnings, "warning") : "holds"}</> },
                { key: "rows", title: "rows", num: true, cell: (v) => count(v.rows) },
                { key: "delta", title: "change", num: true, cell: (v) => {
                  const before = all.find((o) => o.number < v.number);
                  const by = before ? v.rows - before.rows : 0;
                  return <span class="dim">{before ? (by ? `${by > 0 ? "+" : "−"}${count(Math.abs(by))}` : "same") : "first"}</span>;
                } },
                { key: "schema", title: "columns", num: true, cell: (v) => <>{v.columns}{schemaChange(v) && <span class="warn small"> {schemaChange(v)}</span>}</> },
                { key: "bytes", title: "size", num: true, cell: (v) => bytes(v.bytes) },
                { key: "time", title: "ingested", cell: (v) => <span class="dim"><Time at={v.time} /></span> },
                { key: "md5", title: "md5", cell: (v) => <code class="dim" title={v.md5}>{short(v.md5)}</code> },
                { key: "run", title: "by", cell: (v) => (v.pipeline_run ? <Chip value={{ kind: "pipeline_run", id: v.pipeline_run }} /> : "–") },
                { key: "commit", title: "commit", grow: true, cell: (v) => (v.commit ? <Chip value={{ kind: "commit", id: v.commit }} /> : "–") },
              ]} />
          </Page>
        );
      }}
    </Loaded>
  );
}
