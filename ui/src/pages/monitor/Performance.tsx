// Realised and estimated performance by the time of prediction, with how much is labelled.
import type { MonitorView, PerformancePoint } from "../../api/types";
import { LineChart, type Line } from "../../components/LineChart";
import { Section } from "../../components/Page";
import { Snippet } from "../../components/Snippet";
import { count, metric, percent, toNumber } from "../../lib/format";

export function Performance({ view: m }: { view: MonitorView }) {
  const byMetric = new Map<string, PerformancePoint[]>();
  for (const p of m.performance) byMetric.set(p.metric, [...(byMetric.get(p.metric) ?? []), p]);
  if (!byMetric.size) {
    return (
      <Section title="Performance" note="needs labels">
        <p class="dim" style={{ marginBottom: "8px" }}>No label has arrived. They are joined to predictions by id or by the row's key:</p>
        <Snippet code={`rondo label add labels.csv --endpoint ${m.endpoint}`} />
      </Section>
    );
  }
  const gate = /([\d.]+)\s*(%?)\s*$/.exec(m.limits.performance ?? "");
  const limit = gate ? Number(gate[1]) / (gate[2] ? 100 : 1) : undefined;
  return (
    <Section title="Performance" note={`by time of prediction${m.limits.performance ? `; alarm when ${m.limits.performance}` : ""}`}>
      <div class="cols">
        {[...byMetric].map(([name, points]) => {
          const x = points.map((p) => p.index);
          const gated = m.limits.performance?.startsWith(name) && limit !== undefined;
          const lines: Line[] = [{ label: "realised", colour: "var(--c0)", x, y: points.map((p) => toNumber(p.value)), low: points.map((p) => toNumber(p.low)), high: points.map((p) => toNumber(p.high)), points: true }];
          if (points.some((p) => Number.isFinite(toNumber(p.estimated)))) lines.push({ label: "estimated without labels", colour: "var(--c1)", x, y: points.map((p) => toNumber(p.estimated)), dash: true });
          if (m.baseline?.metric === name && Number.isFinite(toNumber(m.baseline.value))) lines.push({ label: `when tested ${metric(m.baseline.value, 3)}`, colour: "var(--ink3)", x, y: x.map(() => toNumber(m.baseline?.value)), dash: true });
          return (
            <div key={name}>
              <LineChart title={name} lines={lines} height={190} xLabel="window" {...(gated ? { limit: { value: limit, label: m.limits.performance ?? "" } } : {})} />
              <p class="small dim" style={{ margin: "8px 0 2px 52px" }}>labelled share of each window</p>
              <div class="coverage">
                {points.map((p) => <span key={p.index} title={`window ${p.index}: ${count(p.labelled)} of ${count(p.rows)} labelled (${percent(p.labelled / (p.rows || 1))})`}><i style={{ height: `${(p.labelled / (p.rows || 1)) * 100}%` }} /></span>)}
              </div>
            </div>
          );
        })}
      </div>
    </Section>
  );
}
