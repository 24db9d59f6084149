// Runs: experiments left, the table right; filter, columns, sort, groups, pins and selection live in the address.
import { useMemo } from "preact/hooks";
import { api, useApi } from "../../api/client";
import type { Experiment, RunRow, Verdict } from "../../api/types";
import { Button } from "../../components/Button";
import { Chip } from "../../components/Chip";
import { Grid, type GridColumn, type GridItem } from "../../components/Grid";
import { Icon } from "../../components/Icon";
import { Page, Problem } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { coloursOf } from "../../lib/colour";
import { count, metric, plural, short, toNumber } from "../../lib/format";
import { useKeys } from "../../lib/keys";
import { arg, navigate, setQuery } from "../../lib/router";
import { ColumnPicker } from "./ColumnPicker";
import { MOST, useRuns } from "./data";
import { FilterBox } from "./FilterBox";
import { groupRows } from "./group";
import { SelectedChart } from "./SelectedChart";
import { Tree } from "./Tree";
import { Views } from "./Views";
import { duration, inOrder, lowerIsBetter, quoteKey, runState, runWord, varying } from "./runs";
import "./RunsPage.css";

function verdictOf(rows: RunRow[], complete: boolean, best: { key: string; run: RunRow } | undefined): Verdict {
  if (!rows.length) return { state: "idle", text: "No runs yet" };
  const running = rows.filter((r) => r.status === "RUNNING").length;
  const failed = rows.filter((r) => r.status === "FAILED").length;
  const parts = [complete ? plural(rows.length, "run") : rows.length >= MOST ? `More than ${plural(rows.length, "run")}` : `${plural(rows.length, "run")} so far`];
  if (running) parts.push(`${running} running`);
  if (failed) parts.push(`${failed} failed`);
  return { state: running ? "busy" : "ok", text: parts.join(", ") + (best ? `; best ${best.key} ${metric(best.run.metrics[best.key])} by ${best.run.name || short(best.run.id)}` : "") };
}

const orderOf = (key: string, down: boolean) => {
  const name = { start: "start_time", name: "run_name", status: "status", user: "user_id", took: "end_time" }[key] ?? key.replace(/^(m|p|t)\.(.*)$/, (_m, kind: string, k: string) => `${{ m: "metrics", p: "params", t: "tags" }[kind]}.${quoteKey(k)}`);
  return `${name} ${down ? "DESC" : "ASC"}`;
};
const list = (name: string) => arg(name).split(",").filter(Boolean);

export function RunsPage() {
  const experiment = arg("experiment");
  const folder = arg("folder");
  const filter = arg("filter");
  const group = arg("group");
  const sortText = arg("sort", "-start");
  const sort = { key: sortText.replace(/^-/, ""), down: sortText.startsWith("-") };
  const selected = list("selected");
  const pins = list("pin");
  const closed = new Set(list("closed"));
  const asked = list("cols");
  const experiments = useApi<Experiment[]>(api("/experiments")).data ?? [];
  const needed = asked.length ? [...asked, ...(/^[pt]\./.test(group) && !asked.includes(group) ? [group] : [])].join(",") : "";
  const runs = useRuns({ experiment, folder, filter, order_by: orderOf(sort.key, sort.down), cols: needed });
  const { rows } = runs;

  const metrics = useMemo(() => inOrder(runs.keys.metrics), [runs.keys]);
  const cols = useMemo(() => (asked.length ? asked : [...metrics.slice(0, 5).map((k) => `m.${k}`), ...varying(rows, runs.keys.params).slice(0, 6).map((k) => `p.${k}`)]), [asked.join(","), metrics, runs.keys, rows.slice(0, 100).length]);
  const main = cols.find((c) => c.startsWith("m."))?.slice(2);
  const best = useMemo(() => {
    if (!main) return undefined;
    let found: RunRow | undefined;
    for (const r of rows) {
      const v = toNumber(r.metrics[main]);
      const b = found ? toNumber(found.metrics[main]) : NaN;
      if (Number.isFinite(v) && (!found || (lowerIsBetter(main) ? v < b : v > b))) found = r;
    }
    return found ? { key: main, run: found } : undefined;
  }, [rows, main]);

  const chosen = useMemo(() => new Set(selected), [selected.join(",")]);
  const colours = useMemo(() => coloursOf(selected), [selected.join(",")]);
  const select = (ids: string[], on: boolean) => setQuery({ selected: (on ? [...selected, ...ids.filter((i) => !chosen.has(i))] : selected.filter((s) => !ids.includes(s))).slice(0, 100).join(",") });
  const pin = (id: string) => setQuery({ pin: (pins.includes(id) ? pins.filter((p) => p !== id) : [...pins, id]).join(",") });
  const compare = () => selected.length > 1 && navigate(`/compare?runs=${selected.join(",")}`);
  useKeys({ c: compare });

  const items = useMemo(() => {
    const item = (r: RunRow, marked = false): GridItem<RunRow> => ({ row: r, id: r.id, href: `/runs/${r.id}`, marked });
    const pinned = pins.flatMap((id) => rows.find((r) => r.id === id) ?? []);
    const free = pinned.length ? rows.filter((r) => !pins.includes(r.id)) : rows;
    const out = pinned.map((r) => item(r, true));
    if (!group) return [...out, ...free.map((r) => item(r))];
    for (const g of groupRows(free, group, main, experiments)) {
      const shut = closed.has(g.value);
      out.push({ id: `group ${g.value}`, head: (
        <>
          <button type="button" aria-expanded={!shut} onClick={() => setQuery({ closed: (shut ? [...closed].filter((c) => c !== g.value) : [...closed, g.value]).join(",") })}><Icon name={shut ? "right" : "down"} size={12} /> {group.replace(/^[pt]\./, "")} {g.value}</button>
          <span class="dim">{plural(g.rows.length, "run")}</span>
          {g.figures && main && <span class="dim">{main}: mean {metric(g.figures.mean)}, {metric(g.figures.low)} to {metric(g.figures.high)}{g.figures.n < g.rows.length ? ` of ${count(g.figures.n)}` : ""}</span>}
        </>
      ) });
      if (!shut) out.push(...g.rows.map((r) => item(r)));
    }
    return out;
  }, [rows, group, arg("pin"), arg("closed"), main, experiments]);

  const columns = useMemo((): GridColumn<RunRow>[] => [
    { key: "name", title: "run", width: 240, fixed: true, sortable: true, cell: (r) => (
      <span class="runs-name">
        <StateMark state={runState(r)} title={runWord[r.status]} />
        {colours.has(r.id) && <i style={{ background: colours.get(r.id) ?? "" }} />}
        <a class="clip" href={`/runs/${r.id}`}>{r.name || short(r.id)}</a>
        <button type="button" class="runs-pin" aria-pressed={pins.includes(r.id)} aria-label={`pin ${r.name || short(r.id)}`} onClick={() => pin(r.id)}><Icon name="pin" size={12} /></button>
      </span>
    ) },
    ...cols.map((c): GridColumn<RunRow> => {
      const k = c.slice(2);
      const width = Math.min(200, Math.max(84, k.length * 7 + 28));
      if (c.startsWith("m.")) return { key: c, title: k, num: true, sortable: true, width, cell: (r) => (best && best.key === k && best.run.id === r.id ? <strong title="best of this list">{metric(r.metrics[k])}</strong> : metric(r.metrics[k])) };
      const values = c.startsWith("p.") ? "params" : "tags";
      return { key: c, title: k, sortable: true, width, cell: (r) => <span title={r[values][k]}>{r[values][k] ?? <span class="faint">–</span>}</span> };
    }),
    ...(experiment ? [] : [{ key: "experiment", title: "experiment", width: 150, cell: (r: RunRow) => <span class="dim">{experiments.find((e) => e.id === r.experiment_id)?.name ?? r.experiment_id}</span> }]),
    { key: "start", title: "started", sortable: true, width: 104, cell: (r) => <span class="dim"><Time at={r.start} /></span> },
    { key: "took", title: "took", num: true, width: 84, cell: (r) => <span class="dim">{duration(r)}</span> },
    { key: "user", title: "by", width: 110, sortable: true, cell: (r) => <span class="dim">{r.user}</span> },
    { key: "id", title: "id", width: 90, cell: (r) => <code class="faint">{short(r.id, 8)}</code> },
    { key: "commit", title: "commit", width: 110, cell: (r) => (r.tags["mlflow.source.git.commit"] ? <Chip bare value={{ kind: "commit", id: r.tags["mlflow.source.git.commit"] }} /> : <span class="faint">–</span>) },
  ], [cols, best, colours, arg("pin"), experiment, experiments]);

  const names = [...runs.keys.metrics.map((k) => `metrics.${quoteKey(k)}`), ...runs.keys.params.map((k) => `params.${quoteKey(k)}`), ...runs.keys.tags.map((k) => `tags.${quoteKey(k)}`), "attributes.status", "attributes.run_name", "attributes.start_time", "attributes.user_id"];
  return (
    <Page title="Runs" verdict={runs.error && !runs.loaded ? { state: "bad", text: runs.error.message } : runs.loaded ? verdictOf(rows, runs.complete, best) : { state: "idle", text: "Runs" }}
      action={<Button kind={selected.length > 1 ? "main" : "plain"} disabled={selected.length < 2} onClick={compare} title="c">Compare{selected.length > 1 ? ` ${selected.length}` : ""}</Button>}>
      {runs.error && <Problem error={runs.error} />}
      <div class="runs">
        <Tree experiments={experiments} experiment={experiment} inFolder={folder} />
        <div class="runs-main">
          <div class="row runs-bar">
            <FilterBox value={filter} keys={names} onChange={(f) => setQuery({ filter: f || null })} />
            <label class="runs-group small dim">group <select class="input" value={group} onChange={(e) => setQuery({ group: e.currentTarget.value || null, closed: null })}>
              <option value="">none</option>
              {["status", "experiment", "user", "day"].map((g) => <option key={g} value={g}>{g}</option>)}
              {runs.keys.params.slice(0, 200).map((k) => <option key={k} value={`p.${k}`}>{k}</option>)}
            </select></label>
            <ColumnPicker keys={{ ...runs.keys, metrics }} chosen={cols} onChange={(c) => setQuery({ cols: c.join(",") || null })} />
            <Views experiments={experiments} experiment={experiment} />
            {selected.length > 0 && <Button onClick={() => setQuery({ selected: null })}>Clear {selected.length}</Button>}
          </div>
          {selected.length > 0 && <SelectedChart runs={selected.map((id) => ({ id, name: rows.find((r) => r.id === id)?.name || short(id) }))} />}
          {runs.loaded && rows.length === 0 ? (
            filter ? <p class="faint">No run fits <code>{filter}</code>.</p> : (
              <Empty text="Runs of the pipeline appear here, and those of any script that speaks MLflow:" code={`import mlflow\nmlflow.set_tracking_uri("${location.origin}")\nwith mlflow.start_run(): mlflow.log_metric("auc", 0.84)`} more="or: rondo run" />
            )
          ) : (
            <Grid label="runs" items={items} columns={columns} sort={sort} onSort={(k) => setQuery({ sort: sort.key === k ? (sort.down ? k : `-${k}`) : `-${k}` })} selected={chosen} onSelect={select} keys={{ p: pin }} />
          )}
        </div>
      </div>
    </Page>
  );
}
