// One metric of the selected runs, live.
import { api, useApi } from "../../api/client";
import type { CurveKey } from "../../api/types";
import { arg, setQuery } from "../../lib/router";
import { chartView, MetricChart } from "./MetricChart";

export function SelectedChart({ runs }: { runs: { id: string; name: string }[] }) {
  const keys = useApi<CurveKey[]>(api("/metrics/keys", { runs: runs.map((r) => r.id).join(",") }));
  const choices = (keys.data ?? []).filter((k) => k.curves > 0).map((k) => k.key);
  const asked = arg("chart");
  const key = choices.includes(asked) ? asked : (choices.find((c) => /valid/.test(c)) ?? choices[0]);
  if (!key) return keys.data ? <p class="faint small runs-chart">None of the selected runs logged a metric more than once.</p> : null;
  return (
    <div class="runs-chart">
      <label class="row small dim">
        <span>chart</span>
        <select class="input" value={key} onChange={(e) => setQuery({ chart: e.currentTarget.value })}>
          {choices.map((c) => <option key={c} value={c}>{c}</option>)}
        </select>
      </label>
      <MetricChart key={key} title={key} runs={runs} keys={[key]} view={chartView()} height={160} />
    </div>
  );
}
