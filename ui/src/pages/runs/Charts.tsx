// The metric histories of one or several runs, one chart a metric, with a shared cross-hair.
import { api, useApi } from "../../api/client";
import type { MetricSeries } from "../../api/types";
import { LineChart, type Line } from "../../components/LineChart";
import { Section } from "../../components/Page";
import { colourOf } from "../../lib/colour";
import { count, plural, toNumber } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { smooth } from "./runs";

export function Charts({ runs }: { runs: { id: string; name: string }[] }) {
  const data = useApi<{ run: string; series: MetricSeries[] }[]>(runs.length ? api("/metrics", { runs: runs.map((r) => r.id).join(","), points: 1000 }) : null).data ?? [];
  const weight = Math.min(0.99, Math.max(0, Number(arg("smooth", "0")) || 0));
  const log = arg("log") === "1";
  const byTime = arg("x") === "time";
  const find = arg("charts").toLowerCase();
  const keys = [...new Set(data.flatMap((r) => r.series.filter((s) => s.total > 1).map((s) => s.key)))].sort();
  if (!keys.length) return null;
  // train_x and validation_x of one run share a chart.
  const family = (k: string) => k.replace(/^(train|valid|validation|test|eval)[_\-/]/, "");
  const families = runs.length === 1 ? [...new Set(keys.map(family))] : keys;
  const shown = families.filter((f) => f.toLowerCase().includes(find));
  const total = data.reduce((n, r) => n + r.series.reduce((m, s) => m + s.total, 0), 0);
  const linesOf = (f: string): Line[] =>
    data.flatMap((r) =>
      r.series.filter((s) => s.total > 1 && (runs.length === 1 ? family(s.key) === f : s.key === f)).flatMap((s): Line[] => {
        const start = s.time[0] ?? 0;
        const x = byTime ? s.time.map((t) => (t - start) / 1000) : s.step;
        const y = s.value.map(toNumber);
        const colour = runs.length === 1 ? (/^(valid|test|eval)/.test(s.key) ? "var(--c1)" : "var(--c0)") : colourOf(r.run);
        return [{ label: runs.length === 1 ? s.key : (runs.find((n) => n.id === r.run)?.name ?? r.run), colour, x, y: smooth(y, weight) }];
      }),
    );
  return (
    <Section title="Charts" note={`${plural(shown.length, "metric")}, ${count(total)} points`}>
      <div class="row charts-bar">
        <label>smooth <input type="range" min="0" max="0.98" step="0.02" value={weight} onInput={(e) => setQuery({ smooth: e.currentTarget.value === "0" ? null : e.currentTarget.value })} /> <span class="num">{weight.toFixed(2)}</span></label>
        <label><input type="checkbox" checked={log} onChange={() => setQuery({ log: log ? null : "1" })} /> logarithmic</label>
        <label>against <select class="input" value={byTime ? "time" : "step"} onChange={(e) => setQuery({ x: e.currentTarget.value === "time" ? "time" : null })}><option value="step">step</option><option value="time">seconds</option></select></label>
        {families.length > 8 && <label>find <input class="input" value={find} onInput={(e) => setQuery({ charts: e.currentTarget.value || null })} /></label>}
      </div>
      <div class="charts">
        {shown.slice(0, 200).map((f) => <LineChart key={f} title={f} lines={linesOf(f)} logY={log} group="run" xLabel={byTime ? "second" : "step"} />)}
      </div>
    </Section>
  );
}
