// One axis a param or figure, one line a run. Texts stand in their order, numbers on their scale.
import type { RunDetail } from "../../api/types";
import { colourOf } from "../../lib/colour";
import { metric, short, toNumber } from "../../lib/format";

const W = 130;
const H = 200;

export function Parallel({ runs, params, metrics }: { runs: RunDetail[]; params: string[]; metrics: string[] }) {
  const axes = [...params.map((k) => ({ key: k, get: (r: RunDetail) => r.params[k] })), ...metrics.map((k) => ({ key: k, get: (r: RunDetail) => { const n = toNumber(r.metrics[k]); return Number.isFinite(n) ? String(n) : undefined; } }))];
  if (axes.length < 2) return <p class="faint">Too little differs to draw.</p>;
  const scales = axes.map((a) => {
    const values = runs.map(a.get).filter((v): v is string => v !== undefined);
    const numbers = values.map(Number);
    if (values.length && numbers.every(Number.isFinite)) {
      const low = Math.min(...numbers);
      const high = Math.max(...numbers);
      return { y: (v: string) => H - ((Number(v) - low) / (high - low || 1)) * H, ends: [metric(low), metric(high)] };
    }
    const words = [...new Set(values)].sort();
    return { y: (v: string) => H - (words.indexOf(v) / Math.max(1, words.length - 1)) * H, ends: [words[0] ?? "", words[words.length - 1] ?? ""] };
  });
  const width = (axes.length - 1) * W;
  return (
    <div class="parallel" tabIndex={0} role="region" aria-label="axes">
      <svg width={width + 130} height={H + 64} role="img" aria-label={`${runs.length} runs over ${axes.length} axes`}>
        <g transform="translate(50 36)">
          {runs.map((r) => {
            const points = axes.flatMap((a, i) => {
              const v = a.get(r);
              return v === undefined ? [] : [`${i * W},${scales[i]?.y(v) ?? 0}`];
            });
            return <polyline key={r.id} points={points.join(" ")} class="parallel-line" style={{ stroke: colourOf(r.id) }}><title>{r.name || short(r.id)}</title></polyline>;
          })}
          {axes.map((a, i) => (
            <g key={a.key} transform={`translate(${i * W} 0)`}>
              <line y2={H} class="parallel-axis" />
              <text y={-20} class="parallel-name">{a.key}</text>
              <text y={H + 16} class="parallel-end">{scales[i]?.ends[0]}</text>
              <text y={-6} class="parallel-end">{scales[i]?.ends[1]}</text>
            </g>
          ))}
        </g>
      </svg>
    </div>
  );
}
