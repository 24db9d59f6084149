// Runs side by side: what differs, the curves over each other, parallel coordinates.
import { api, useApi } from "../../api/client";
import type { RunDetail } from "../../api/types";
import { Chip } from "../../components/Chip";
import { Loaded, Page, Section } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { coloursOf } from "../../lib/colour";
import { dateTime, metric, plural, short, signed, tiny, toNumber } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { Charts } from "../runs/Charts";
import { duration, lowerIsBetter, metricKeys, runState } from "../runs/runs";
import { Curves } from "./Curves";
import { Parallel } from "./Parallel";
import { Scatter } from "./Scatter";
import "./ComparePage.css";

export function ComparePage() {
  const ids = arg("runs").split(",").filter(Boolean).slice(0, 100);
  const all = arg("all") === "1";
  const data = useApi<RunDetail[]>(ids.length ? api("/compare", { runs: ids.join(",") }) : null);
  if (!ids.length) {
    return (
      <Page title="Compare" verdict={{ state: "idle", text: "Choose two or more runs to compare" }}>
        <Empty text="In the list of runs, select rows with x and press c. Or on the command line:" code="rondo diff RUN RUN" />
      </Page>
    );
  }
  return (
    <Loaded from={data} title="Compare">
      {(runs) => {
        const base = runs[0];
        if (!base) return null;
        const colours = coloursOf(runs.map((r) => r.id));
        const metrics = metricKeys(runs);
        const params = [...new Set(runs.flatMap((r) => Object.keys(r.params)))].sort();
        const differs = (values: unknown[]) => new Set(values.map((v) => JSON.stringify(v ?? null))).size > 1;
        const shownMetrics = all ? metrics : metrics.filter((k) => differs(runs.map((r) => r.metrics[k])));
        const shownParams = all ? params : params.filter((k) => differs(runs.map((r) => r.params[k])));
        const differing = params.filter((k) => differs(runs.map((r) => r.params[k])));
        const figures = metrics.filter((k) => differs(runs.map((r) => r.metrics[k])) && !/^(train|valid)/.test(k));
        const main = metrics[0];
        const better = main ? runs.slice(1).filter((r) => (lowerIsBetter(main) ? toNumber(r.metrics[main]) < toNumber(base.metrics[main]) : toNumber(r.metrics[main]) > toNumber(base.metrics[main]))).length : 0;
        const inputs = (r: RunDetail) => r.inputs.map((i) => `${i.name} ${short(i.digest)}`).join(", ");
        const rows: [string, (r: RunDetail) => preact.ComponentChildren, unknown[]][] = [
          ["started", (r) => dateTime(r.start), runs.map((r) => r.start)],
          ["took", (r) => duration(r), runs.map(duration)],
          ["data", (r) => <code>{inputs(r) || "–"}</code>, runs.map(inputs)],
          ["commit", (r) => (r.tags["mlflow.source.git.commit"] ? <Chip bare value={{ kind: "commit", id: r.tags["mlflow.source.git.commit"] }} /> : "–"), runs.map((r) => r.tags["mlflow.source.git.commit"])],
        ];
        return (
          <Page title="Compare" crumbs={<><a href="/runs">Runs</a> / compare</>}
            verdict={{ state: better ? "ok" : "warn", text: `${plural(shownParams.length, "param")} ${shownParams.length === 1 ? "differs" : "differ"}${main ? `; ${better} of ${plural(runs.length - 1, "run")} ${better === 1 ? "beats" : "beat"} ${base.name || short(base.id)} in ${main}` : ""}` }}>
            <Section title="Differences" note={`baseline: ${base.name || short(base.id)}`} action={<label class="small row"><input type="checkbox" checked={all} onChange={() => setQuery({ all: all ? null : "1" })} /> equal rows too</label>}>
              <div class="compare" tabIndex={0} role="region" aria-label="table of differences">
                <table>
                  <thead>
                    <tr>
                      <th scope="col"><span class="hidden">what</span></th>
                      {runs.map((r, i) => (
                        <th key={r.id} scope="col" class="num">
                          <span class="compare-run"><i style={{ background: colours.get(r.id) ?? "" }} /><StateMark state={runState(r)} size={12} /> <a href={`/runs/${r.id}`}>{r.name || short(r.id)}</a></span>
                          {i > 0 && <button type="button" class="compare-base" onClick={() => setQuery({ runs: [r.id, ...ids.filter((x) => x !== r.id)].join(",") })}>as baseline</button>}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    <tr class="compare-group"><th scope="rowgroup" colSpan={runs.length + 1}>metrics</th></tr>
                    {shownMetrics.map((k) => (
                      <tr key={`m${k}`}>
                        <th scope="row">{k}</th>
                        {runs.map((r, i) => {
                          const by = toNumber(r.metrics[k]) - toNumber(base.metrics[k]);
                          const good = lowerIsBetter(k) ? by < 0 : by > 0;
                          return <td key={r.id} class="num">{metric(r.metrics[k])}{i > 0 && Number.isFinite(by) && !tiny(by) && <span class={`small ${good ? "ok" : "bad"}`}> {signed(by)}</span>}</td>;
                        })}
                      </tr>
                    ))}
                    <tr class="compare-group"><th scope="rowgroup" colSpan={runs.length + 1}>params</th></tr>
                    {shownParams.length === 0 && <tr><td colSpan={runs.length + 1} class="faint">all equal</td></tr>}
                    {shownParams.map((k) => (
                      <tr key={`p${k}`}>
                        <th scope="row">{k}</th>
                        {runs.map((r, i) => <td key={r.id} class={`num mono${i > 0 && r.params[k] !== base.params[k] ? " compare-other" : ""}`}>{r.params[k] ?? "–"}</td>)}
                      </tr>
                    ))}
                    <tr class="compare-group"><th scope="rowgroup" colSpan={runs.length + 1}>origin</th></tr>
                    {rows.filter(([, , values]) => all || differs(values)).map(([name, cell]) => (
                      <tr key={name}><th scope="row">{name}</th>{runs.map((r) => <td key={r.id} class="num">{cell(r)}</td>)}</tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </Section>
            {runs.length > 2 && main && (
              <div class="cols cols-wide">
                <Section title="Parallel coordinates" note="drag along an axis to keep what passes there">
                  <Parallel runs={runs} colours={colours} params={differing.slice(0, 8)} metrics={figures.slice(0, 3)} />
                </Section>
                <Section title="Scatter"><Scatter runs={runs} colours={colours} params={differing} metrics={figures} /></Section>
              </div>
            )}
            <Curves runs={runs} colours={colours} />
            <Charts runs={runs.map((r) => ({ id: r.id, name: r.name || short(r.id) }))} />
          </Page>
        );
      }}
    </Loaded>
  );
}
