// One dataset version: its contract, its columns against the version before, what used it.
import { api, seg, useApi } from "../../api/client";
import type { ColumnProfile, DatasetVersionDetail } from "../../api/types";
import { Distribution, Spark, TopValues } from "../../components/Bars";
import { Chip, Chips } from "../../components/Chip";
import { Facts, Loaded, Page, Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { bytes, count, metric, percent, plural, toNumber } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { schemaChange } from "./DatasetPage";
import "./DatasetVersionPage.css";

/** Edges and counts, whichever way the profile holds them. */
export function bins(p: ColumnProfile | undefined): { edges: number[]; counts: number[] } | null {
  const h = p?.histogram;
  if (!h) return null;
  if (!Array.isArray(h)) return h.counts.length ? h : null;
  if (!h.length) return null;
  return { edges: [...h.map((b) => b.low), (h[h.length - 1] as { high: number }).high], counts: h.map((b) => b.count) };
}

/** Counts of a histogram moved onto other edges, each bin's count spread evenly inside it: for comparing two versions. */
export function rebin(from: { edges: number[]; counts: number[] }, edges: number[]): number[] {
  const out = new Array<number>(edges.length - 1).fill(0);
  from.counts.forEach((c, i) => {
    const a = from.edges[i] as number;
    const b = from.edges[i + 1] as number;
    for (let j = 0; j < out.length; j++) {
      const lo = j === 0 ? -Infinity : (edges[j] as number);
      const hi = j === out.length - 1 ? Infinity : (edges[j + 1] as number);
      const overlap = b > a ? Math.max(0, Math.min(b, hi) - Math.max(a, lo)) / (b - a) : a >= lo && (a < hi || j === out.length - 1) ? 1 : 0;
      out[j] = (out[j] as number) + c * overlap;
    }
  });
  return out;
}

const short = (n: number) => metric(n, 2);

function ColumnDetail({ name, now, before }: { name: string; now: ColumnProfile; before?: ColumnProfile | undefined }) {
  const mine = bins(now);
  const old = bins(before);
  const rows: [string, (p: ColumnProfile) => string][] = [
    ["missing", (p) => `${count(p.nulls)} (${percent(p.nulls / (p.count + p.nulls || 1), 1)})`],
    ["distinct", (p) => (p.distinct === undefined ? "–" : count(p.distinct))],
    ["min", (p) => String(p.min ?? "–")],
    ["max", (p) => String(p.max ?? "–")],
    ["mean", (p) => metric(p.mean)],
    ["std", (p) => metric(p.std)],
    ...Object.keys(now.quantiles ?? {}).map((q): [string, (p: ColumnProfile) => string] => [`${percent(Number(q))} quantile`, (p) => metric(p.quantiles?.[q])]),
  ];
  return (
    <Section title={name} note={now.type}>
      <div class="cols">
        <div>
          {mine ? (
            <Distribution window={mine.counts} reference={old ? rebin(old, mine.edges) : []} labels={mine.edges.slice(0, -1).map(short)} names={["this version", "the one before"]} />
          ) : (
            <TopValues items={(now.top ?? []).slice(0, 12).map((t) => ({ label: String(t.value ?? ""), count: t.count }))} total={now.count} />
          )}
        </div>
        <table class="stats">
          <thead><tr><th scope="col"><span class="hidden">statistic</span></th><th scope="col" class="num">this version</th><th scope="col" class="num">the one before</th></tr></thead>
          <tbody>
            {rows.map(([label, get]) => (
              <tr key={label}><th scope="row">{label}</th><td class="num">{get(now)}</td><td class="num dim">{before ? get(before) : "–"}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

export function DatasetVersionPage({ args }: { args: Record<string, string> }) {
  const name = args["dataset"] ?? "";
  const number = args["number"] ?? "";
  const detail = useApi<DatasetVersionDetail>(api(`/datasets/${seg(name)}/${seg(number)}`));
  const picked = arg("column");
  return (
    <Loaded from={detail} title={`${name} v${number}`}>
      {(v) => {
        const columns = Object.entries(v.profile?.columns ?? {});
        const problems = v.check?.anomalies ?? [];
        const open = picked && v.profile?.columns[picked];
        return (
          <Page title={`${name} v${v.number}`} crumbs={<><a href="/data">Data</a> / <a href={`/data/${seg(name)}`}>{name}</a> / v{v.number}</>}
            verdict={v.accepted ? (v.warnings ? { state: "warn", text: `${count(v.rows)} rows; the contract holds with ${plural(v.warnings, "warning")}` } : { state: "ok", text: `${count(v.rows)} rows, ${v.columns} columns; all ${v.checks} checks of the contract hold` }) : { state: "bad", text: `The contract fails: ${plural(v.errors, "error")} in ${count(v.rows)} rows` }}>
            <div class="cols">
              <Section title="Contract" note={`${v.checks} checks in one scan`}>
                {problems.length === 0 ? <p><StateMark state="ok" /> Nothing to report.</p> : (
                  <ul class="anomalies">
                    {problems.map((a) => (
                      <li key={`${a.column} ${a.kind}`}>
                        <StateMark state={a.severity === "ERROR" ? "bad" : "warn"} title={a.severity.toLowerCase()} />
                        <div>
                          <p>{a.column && <code>{a.column}</code>} {a.message}</p>
                          <p class="small dim">{a.kind} · {plural(a.count, "row")}{a.samples.length ? ` · for example ${a.samples.map((s) => `${s.row !== undefined ? `row ${s.row}: ` : ""}${JSON.stringify(s.value ?? null)}`).join(", ")}` : ""}</p>
                        </div>
                      </li>
                    ))}
                  </ul>
                )}
              </Section>
              <Section title="Where it stands">
                <Facts items={[
                  ["source", <code>{v.source}</code>],
                  ["ingested", <><Time at={v.time} exact /></>],
                  ["size", bytes(v.bytes)],
                  ["content", <Chip value={{ kind: "dataset", id: v.md5, label: v.md5 }} />],
                  ["schema", schemaChange(v) || (v.previous_number === undefined ? "the first version" : "as the version before")],
                  ["came from", <Chips items={v.came_from} />],
                  ["used by", <Chips items={v.used_by} empty="nothing yet" />],
                ]} />
              </Section>
            </div>
            {open ? <ColumnDetail name={picked} now={open} before={v.previous?.columns[picked]} /> : null}
            <Section title="Columns" note={v.previous ? `against v${v.previous_number}` : undefined}>
              {columns.length === 0 ? <p class="faint">No profile yet: <code>rondo run profile</code> makes one.</p> : (
                <Table label="columns" rows={columns} id={([c]) => c}
                  columns={[
                    { key: "name", title: "column", cell: ([c]) => <button type="button" class="linkish" aria-pressed={c === picked} onClick={() => setQuery({ column: c === picked ? null : c })}>{c}</button> },
                    { key: "type", title: "type", cell: ([, p]) => <span class="dim">{p.type}</span> },
                    { key: "shape", title: "distribution", cell: ([c, p]) => <Spark counts={bins(p)?.counts ?? (p.top ?? []).map((t) => t.count)} label={`${c}: ${bins(p) ? "histogram" : "counts of the most frequent values"}`} /> },
                    { key: "nulls", title: "missing", num: true, cell: ([, p]) => (p.nulls ? `${percent(p.nulls / (p.count + p.nulls || 1), 1)} (${count(p.nulls)})` : <span class="faint">0</span>) },
                    { key: "distinct", title: "distinct", num: true, cell: ([, p]) => (p.distinct === undefined ? "–" : count(p.distinct)) },
                    { key: "min", title: "min", num: true, cell: ([, p]) => (typeof p.min === "number" ? metric(p.min) : "–") },
                    { key: "mean", title: "mean", num: true, cell: ([, p]) => metric(p.mean) },
                    { key: "delta", title: "change of mean", unit: "std", num: true, cell: ([c, p]) => {
                      const old = v.previous?.columns[c];
                      const by = (toNumber(p.mean) - toNumber(old?.mean)) / toNumber(old?.std);
                      return <span class="dim">{Number.isFinite(by) ? `${by < 0 ? "−" : "+"}${Math.abs(by).toFixed(2)}` : "–"}</span>;
                    } },
                    { key: "max", title: "max", num: true, cell: ([, p]) => (typeof p.max === "number" ? metric(p.max) : "–") },
                    { key: "top", title: "most frequent", grow: true, cell: ([, p]) => <span class="dim">{(p.top ?? []).slice(0, 3).map((t) => `${String(t.value ?? "missing")} ${percent(t.count / (p.count || 1))}`).join(" · ")}</span> },
                  ]} />
              )}
            </Section>
          </Page>
        );
      }}
    </Loaded>
  );
}
