// Evaluations side by side: ROC and precision-recall, one threshold for all with its cost, and the confusion it makes.
import { useMemo } from "preact/hooks";
import type { RunDetail } from "../../api/types";
import { LineChart } from "../../components/LineChart";
import { Section } from "../../components/Page";
import { count, metric, percent, short } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { at, type AtThreshold, costOf, curveOf, useEvaluations } from "./evaluation";

const MOST = 12;
const positive = (name: string, otherwise: number) => {
  const n = Number(arg(name));
  return arg(name) !== "" && Number.isFinite(n) && n >= 0 ? n : otherwise;
};

function Confusion({ labels, matrix, caption }: { labels: string[]; matrix: number[][]; caption: string }) {
  const shown = labels.slice(0, 12);
  return (
    <table class="confusion">
      <caption>{caption}</caption>
      <thead><tr><td />{shown.map((l) => <th key={l} scope="col" title={`said ${l}`}>said {l}</th>)}</tr></thead>
      <tbody>
        {shown.map((l, i) => {
          const row = matrix[i] ?? [];
          const total = row.reduce((a, b) => a + b, 0) || 1;
          return (
            <tr key={l}>
              <th scope="row">is {l}</th>
              {shown.map((k, j) => {
                const share = (row[j] ?? 0) / total;
                return <td key={k} class={`num${i === j ? " confusion-right" : ""}`} style={{ "--share": `${Math.round(share * 100)}%` }}>{count(row[j] ?? 0)} <span class="small dim">{percent(share)}</span></td>;
              })}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

export function Curves({ runs, colours }: { runs: RunDetail[]; colours: Map<string, string> }) {
  const shown = runs.slice(0, MOST);
  const got = useEvaluations(shown.map((r) => r.id));
  const all = useMemo(() => shown.flatMap((run) => {
    const evaluation = got.get(run.id);
    return evaluation ? [{ run, name: run.name || short(run.id), colour: colours.get(run.id) ?? "var(--c0)", evaluation, curve: curveOf(evaluation) }] : [];
  }), [got]);
  const falseAlarm = positive("fp", 1);
  const miss = positive("fn", 5);
  const binary = all.filter((e) => e.curve.length > 0);
  const first = binary[0];
  const threshold = Math.min(1, positive("threshold", first?.evaluation.threshold ?? 0.5));
  const lines = useMemo(() => ({
    roc: binary.map((e) => ({ label: e.name, colour: e.colour, x: (e.evaluation.roc ?? []).map((p) => p[0]), y: (e.evaluation.roc ?? []).map((p) => p[1]) })),
    pr: binary.map((e) => ({ label: e.name, colour: e.colour, x: (e.evaluation.pr ?? []).map((p) => p[0]), y: (e.evaluation.pr ?? []).map((p) => p[1]) })),
    cost: binary.map((e) => ({ label: e.name, colour: e.colour, x: e.curve.map((p) => p.threshold), y: e.curve.map((p) => costOf(p, falseAlarm, miss)) })),
  }), [all, falseAlarm, miss]);
  if (!all.length) return null;
  const others = all.filter((e) => !e.curve.length && e.evaluation.confusion);
  const cheapest = (curve: AtThreshold[]) => curve.reduce((a, b) => (costOf(b, falseAlarm, miss) < costOf(a, falseAlarm, miss) ? b : a));
  const note = runs.length > MOST ? `the first ${MOST} runs` : "on the test part";
  return (
    <>
      {first && (
        <>
          <Section title="Ranking" note={note}>
            <div class="charts">
              <LineChart title="ROC: recall over false positive rate" lines={lines.roc} axis="number" xLabel="false positive rate" height={240} />
              <LineChart title="precision over recall" lines={lines.pr} axis="number" xLabel="recall" height={240} />
              <LineChart title="cost per 1,000 rows over the threshold" lines={lines.cost} axis="number" xLabel="threshold" height={240} zeroBased />
            </div>
          </Section>
          <Section title="At one threshold" note="who is at or above it counts as positive">
            <div class="row charts-bar">
              <label>threshold <input type="range" min="0" max="1" step="0.005" value={threshold} onInput={(e) => setQuery({ threshold: e.currentTarget.value })} /> <span class="num">{threshold.toFixed(3)}</span></label>
              <label>a false alarm costs <input class="input cost" type="number" min="0" step="any" value={falseAlarm} onChange={(e) => setQuery({ fp: e.currentTarget.value })} /></label>
              <label>a miss costs <input class="input cost" type="number" min="0" step="any" value={miss} onChange={(e) => setQuery({ fn: e.currentTarget.value })} /></label>
            </div>
            <div class="compare" tabIndex={0} role="region" aria-label="table of figures at the threshold">
              <table>
                <thead><tr>{["run", "precision", "recall", "F1", "chosen", "cost per 1,000", "cheapest at", "then"].map((h, i) => <th key={h} scope="col" class={i ? "num" : ""}>{h}</th>)}</tr></thead>
                <tbody>
                  {binary.map((e) => {
                    const p = at(e.curve, threshold);
                    const c = cheapest(e.curve);
                    return p && (
                      <tr key={e.run.id}>
                        <th scope="row"><span class="compare-run"><i style={{ background: e.colour }} /> {e.name}</span></th>
                        <td class="num">{metric(p.precision)}</td>
                        <td class="num">{metric(p.recall)}</td>
                        <td class="num">{metric(p.f1)}</td>
                        <td class="num">{percent(p.selected)}</td>
                        <td class="num">{metric(costOf(p, falseAlarm, miss))}</td>
                        <td class="num"><button type="button" class="link" onClick={() => setQuery({ threshold: c.threshold.toFixed(3) })}>{c.threshold.toFixed(3)}</button></td>
                        <td class="num">{metric(costOf(c, falseAlarm, miss))}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
            <div class="confusions">
              {binary.map((e) => {
                const p = at(e.curve, threshold);
                const [no = "no", yes = "yes"] = e.evaluation.confusion?.labels ?? [];
                return p && <Confusion key={e.run.id} caption={e.name} labels={[no, yes]} matrix={[[p.tn, p.fp], [p.fn, p.tp]]} />;
              })}
            </div>
          </Section>
        </>
      )}
      {others.length > 0 && (
        <Section title="Confusion" note={note}>
          <div class="confusions">{others.map((e) => <Confusion key={e.run.id} caption={e.name} labels={e.evaluation.confusion?.labels ?? []} matrix={e.evaluation.confusion?.matrix ?? []} />)}</div>
        </Section>
      )}
    </>
  );
}
