// The metric histories of one or several runs, one chart a metric, with a shared cross-hair and zoom.
import { api, useApi } from "../../api/client";
import type { CurveKey } from "../../api/types";
import { Section } from "../../components/Page";
import { plural } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { chartView, MetricChart } from "./MetricChart";

const MOST = 60;

export function ChartsBar({ find }: { find?: boolean }) {
  const { axis, log, weight } = chartView();
  return (
    <div class="row charts-bar">
      <label>smooth <input type="range" min="0" max="0.98" step="0.02" value={weight} onInput={(e) => setQuery({ smooth: e.currentTarget.value === "0" ? null : e.currentTarget.value })} /> <span class="num">{weight.toFixed(2)}</span></label>
      <label><input type="checkbox" checked={log} onChange={() => setQuery({ log: log ? null : "1" })} /> logarithmic</label>
      <label>against <select class="input" value={axis} onChange={(e) => setQuery({ x: e.currentTarget.value === "step" ? null : e.currentTarget.value, zoom: null })}><option value="step">step</option><option value="relative">time since start</option><option value="time">clock</option></select></label>
      {find && <label>find <input class="input" value={arg("charts")} onInput={(e) => setQuery({ charts: e.currentTarget.value || null })} /></label>}
      <span class="faint charts-hint">drag to zoom, double-click for all</span>
    </div>
  );
}

export function Charts({ runs }: { runs: { id: string; name: string }[] }) {
  const data = useApi<CurveKey[]>(runs.length ? api("/metrics/keys", { runs: runs.map((r) => r.id).join(",") }) : null).data ?? [];
  const find = arg("charts").toLowerCase();
  const keys = data.filter((k) => k.curves > 0).map((k) => k.key);
  if (!keys.length) return null;
  // train_x and validation_x of one run share a chart.
  const family = (k: string) => k.replace(/^(train|valid|validation|test|eval)[_\-/]/, "");
  const families = runs.length === 1 ? [...new Set(keys.map(family))] : keys;
  const fits = families.filter((f) => f.toLowerCase().includes(find));
  const large = arg("large");
  const shown = [...fits.filter((f) => f === large), ...fits.filter((f) => f !== large)].slice(0, MOST);
  const view = chartView();
  return (
    <Section title="Charts" note={fits.length > MOST ? `the first ${MOST} of ${plural(fits.length, "metric")}: find narrows them` : plural(fits.length, "metric")}>
      <ChartsBar find={families.length > 8} />
      <div class="charts">
        {shown.map((f) => <MetricChart key={f} title={f} runs={runs} keys={runs.length === 1 ? keys.filter((k) => family(k) === f) : [f]} view={view} group="run" />)}
      </div>
    </Section>
  );
}
