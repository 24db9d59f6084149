// One metric of the selected runs over their steps, live.
import { api, useApi } from "../../api/client";
import type { MetricSeries, RunRow } from "../../api/types";
import { LineChart } from "../../components/LineChart";
import { colourOf } from "../../lib/colour";
import { short, toNumber } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";

export function SelectedChart({ ids, rows, metrics }: { ids: string[]; rows: RunRow[]; metrics: string[] }) {
  const series = useApi<{ run: string; series: MetricSeries[] }[]>(api("/metrics", { runs: ids.join(","), points: 400 }));
  const withHistory = new Set((series.data ?? []).flatMap((r) => r.series.filter((s) => s.total > 1).map((s) => s.key)));
  const choices = metrics.filter((m) => withHistory.has(m));
  const asked = arg("chart");
  const key = choices.includes(asked) ? asked : (choices.find((c) => /valid/.test(c)) ?? choices[0]);
  if (!key) return series.data ? <p class="faint small runs-chart">None of the selected runs logged a metric more than once.</p> : null;
  const lines = (series.data ?? []).flatMap((r) => {
    const s = r.series.find((x) => x.key === key);
    const name = rows.find((row) => row.id === r.run)?.name || short(r.run);
    return s ? [{ label: name, colour: colourOf(r.run), x: s.step, y: s.value.map(toNumber) }] : [];
  });
  return (
    <div class="runs-chart">
      <label class="row small dim">
        <span>chart</span>
        <select class="input" value={key} onChange={(e) => setQuery({ chart: e.currentTarget.value })}>
          {choices.map((c) => <option key={c} value={c}>{c}</option>)}
        </select>
      </label>
      <LineChart title={key} lines={lines} height={160} />
    </div>
  );
}
