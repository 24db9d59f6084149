// Runs: experiments left, the table right; filter, columns, sort and selection live in the address.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, useApi } from "../../api/client";
import type { Experiment, RunPage, RunRow, Verdict } from "../../api/types";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { Page, Problem } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { Table, type Column } from "../../components/Table";
import { Time } from "../../components/Time";
import { colourOf } from "../../lib/colour";
import { metric, plural, short, toNumber } from "../../lib/format";
import { useKeys } from "../../lib/keys";
import { arg, navigate, setQuery } from "../../lib/router";
import { ColumnPicker } from "./ColumnPicker";
import { FilterBox } from "./FilterBox";
import { SelectedChart } from "./SelectedChart";
import { duration, lowerIsBetter, metricKeys, paramKeys, quoteKey, runState, runWord, varying } from "./runs";
import "./RunsPage.css";

const PAGE = 500;

function verdictOf(rows: RunRow[], more: boolean, best: { key: string; run: RunRow } | undefined): Verdict {
  if (!rows.length) return { state: "idle", text: "No runs yet" };
  const running = rows.filter((r) => r.status === "RUNNING").length;
  const failed = rows.filter((r) => r.status === "FAILED").length;
  const parts = [`${more ? `More than ${plural(rows.length, "run")}` : plural(rows.length, "run")}`];
  if (running) parts.push(`${running} running`);
  if (failed) parts.push(`${failed} failed`);
  return { state: running ? "busy" : "ok", text: parts.join(", ") + (best ? `; best ${best.key} ${metric(best.run.metrics[best.key])} by ${best.run.name || short(best.run.id)}` : "") };
}

export function RunsPage() {
  const experiment = arg("experiment");
  const filter = arg("filter");
  const sortText = arg("sort", "-start");
  const sort = { key: sortText.replace(/^-/, ""), down: sortText.startsWith("-") };
  const selected = arg("selected").split(",").filter(Boolean);
  const experiments = useApi<Experiment[]>(api("/experiments"));
  const order = sort.key === "start" ? `start_time ${sort.down ? "DESC" : "ASC"}` : sort.key === "name" ? `run_name ${sort.down ? "DESC" : "ASC"}` : `${sort.key.replace(/^(m|p)\.(.*)$/, (_m, kind: string, key: string) => `${kind === "m" ? "metrics" : "params"}.${quoteKey(key)}`)} ${sort.down ? "DESC" : "ASC"}`;
  const first = useApi<RunPage>(api("/runs", { experiment, filter, order_by: order, max: PAGE }));

  // Further pages are read once, when the table is scrolled to its end.
  const [extra, setExtra] = useState<{ rows: RunRow[]; token: string; key: string }>({ rows: [], token: "", key: "" });
  const key = `${experiment}|${filter}|${order}`;
  useEffect(() => setExtra({ rows: [], token: "", key }), [key]);
  const firstRows = first.data?.runs ?? [];
  const rows = useMemo(() => {
    if (extra.key !== key || !extra.rows.length) return firstRows;
    const known = new Set(firstRows.map((r) => r.id));
    return [...firstRows, ...extra.rows.filter((r) => !known.has(r.id))];
  }, [first.data, extra, key]);
  const token = extra.key === key && extra.token ? (extra.token === "end" ? "" : extra.token) : (first.data?.next_page_token ?? "");
  const [reading, setReading] = useState(false);
  const more = () => {
    if (!token || reading) return;
    setReading(true);
    void fetch(api("/runs", { experiment, filter, order_by: order, max: PAGE, page_token: token }))
      .then((r) => (r.ok ? (r.json() as Promise<RunPage>) : undefined))
      .then((page) => page && setExtra((e) => ({ key, rows: e.key === key ? [...e.rows, ...page.runs] : page.runs, token: page.next_page_token || "end" })))
      .finally(() => setReading(false));
  };

  const metrics = useMemo(() => metricKeys(rows), [rows]);
  const params = useMemo(() => paramKeys(rows), [rows]);
  const chosen = arg("cols");
  const cols = chosen ? chosen.split(",") : [...metrics.slice(0, 4).map((k) => `m.${k}`), ...varying(rows, params).slice(0, 4).map((k) => `p.${k}`)];
  const main = cols.find((c) => c.startsWith("m."))?.slice(2);
  const best = useMemo(() => {
    if (!main) return undefined;
    const ranked = rows.filter((r) => Number.isFinite(toNumber(r.metrics[main]))).sort((a, b) => toNumber(b.metrics[main]) - toNumber(a.metrics[main]));
    const run = lowerIsBetter(main) ? ranked[ranked.length - 1] : ranked[0];
    return run ? { key: main, run } : undefined;
  }, [rows, main]);

  const toggle = (id: string) => setQuery({ selected: (selected.includes(id) ? selected.filter((s) => s !== id) : [...selected, id]).join(",") });
  const compare = () => selected.length > 1 && navigate(`/compare?runs=${selected.join(",")}`);
  useKeys({ c: compare });
  const sorted = (k: string) => setQuery({ sort: sort.key === k ? (sort.down ? k : `-${k}`) : `-${k}` });

  const columns: Column<RunRow>[] = [
    { key: "name", title: "run", sortable: true, cell: (r) => (
      <span class="runs-name">
        <StateMark state={runState(r)} title={runWord[r.status]} />
        {selected.includes(r.id) && <i style={{ background: colourOf(r.id) }} />}
        <a href={`/runs/${r.id}`}>{r.name || short(r.id)}</a>
        <code class="faint">{short(r.id, 6)}</code>
      </span>
    ) },
    ...cols.map((c): Column<RunRow> => {
      const k = c.slice(2);
      return c.startsWith("m.")
        ? { key: c, title: k, num: true, sortable: true, cell: (r) => (best && best.key === k && best.run.id === r.id ? <strong title="best of this list">{metric(r.metrics[k])}</strong> : metric(r.metrics[k])) }
        : { key: c, title: k, sortable: true, cell: (r) => <span title={r.params[k]}>{r.params[k] ?? <span class="faint">–</span>}</span> };
    }),
    { key: "start", title: "started", sortable: true, cell: (r) => <span class="dim"><Time at={r.start} /></span> },
    { key: "took", title: "took", num: true, cell: (r) => <span class="dim">{duration(r)}</span> },
    { key: "user", title: "by", cell: (r) => <span class="dim">{r.user}</span> },
    { key: "commit", title: "commit", grow: true, cell: (r) => (r.tags["mlflow.source.git.commit"] ? <Chip bare value={{ kind: "commit", id: r.tags["mlflow.source.git.commit"] }} /> : <span class="faint">–</span>) },
  ];

  return (
    <Page title="Runs" verdict={first.error && !first.data ? { state: "bad", text: first.error.message } : first.data ? verdictOf(rows, token !== "", best) : { state: "idle", text: "Runs" }}
      action={<Button kind={selected.length > 1 ? "main" : "plain"} disabled={selected.length < 2} onClick={compare} title="c">Compare{selected.length > 1 ? ` ${selected.length}` : ""}</Button>}>
      {first.error && <Problem error={first.error} />}
      <div class="runs">
        <nav class="runs-tree" aria-label="experiments">
          <h2>Experiments</h2>
          <ul>
            <li><button type="button" aria-pressed={!experiment} onClick={() => setQuery({ experiment: null }, true)}>all</button></li>
            {(experiments.data ?? []).map((e) => (
              <li key={e.id}><button type="button" aria-pressed={experiment === e.id} onClick={() => setQuery({ experiment: e.id }, true)}>{e.name}</button></li>
            ))}
          </ul>
        </nav>
        <div class="runs-main">
          <div class="row runs-bar">
            <FilterBox value={filter} keys={[...metrics.map((k) => `metrics.${quoteKey(k)}`), ...params.map((k) => `params.${quoteKey(k)}`), "attributes.status", "attributes.run_name", "attributes.start_time"]} onChange={(f) => setQuery({ filter: f || null })} />
            <ColumnPicker metrics={metrics} params={params} chosen={cols} onChange={(c) => setQuery({ cols: c.join(",") || null })} />
            {selected.length > 0 && <Button onClick={() => setQuery({ selected: null })}>Clear {selected.length}</Button>}
          </div>
          {selected.length > 0 && <SelectedChart ids={selected.slice(0, 12)} rows={rows} metrics={metrics} />}
          {first.data && rows.length === 0 ? (
            filter ? <p class="faint">No run fits <code>{filter}</code>.</p> : (
              <Empty text="Runs of the pipeline appear here, and those of any script that speaks MLflow:" code={`import mlflow\nmlflow.set_tracking_uri("${location.origin}")\nwith mlflow.start_run(): mlflow.log_metric("auc", 0.84)`} more="or: rondo run" />
            )
          ) : (
            <Table label="runs" fill rows={rows} columns={columns} id={(r) => r.id} href={(r) => `/runs/${r.id}`} sort={sort} onSort={sorted} selected={selected} onSelect={toggle} onEnd={more} />
          )}
        </div>
      </div>
    </Page>
  );
}
