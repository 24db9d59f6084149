// One axis a param or figure, one line a run. Texts stand in their order, numbers on their scale. Dragging along an axis keeps only what passes there.
import { useRef, useState } from "preact/hooks";
import type { RunDetail } from "../../api/types";
import { metric, plural, short, toNumber } from "../../lib/format";

const W = 130;
const H = 200;

export function Parallel({ runs, colours, params, metrics }: { runs: RunDetail[]; colours: Map<string, string>; params: string[]; metrics: string[] }) {
  const [brush, setBrush] = useState<Record<string, [number, number]>>({});
  const drag = useRef<{ key: string; from: number } | null>(null);
  const svg = useRef<SVGSVGElement>(null);
  const axes = [...params.map((k) => ({ key: k, get: (r: RunDetail) => r.params[k] })), ...metrics.map((k) => ({ key: k, get: (r: RunDetail) => { const n = toNumber(r.metrics[k]); return Number.isFinite(n) ? String(n) : undefined; } }))];
  if (axes.length < 2) return <p class="faint">Too little differs to draw.</p>;
  const scales = axes.map((a) => {
    const values = runs.map(a.get).filter((v): v is string => v !== undefined);
    const numbers = values.map(Number);
    if (values.length && numbers.every(Number.isFinite) && values.every((v) => v !== "")) {
      const low = Math.min(...numbers);
      const high = Math.max(...numbers);
      return { y: (v: string) => H - ((Number(v) - low) / (high - low || 1)) * H, ends: [metric(low), metric(high)] };
    }
    const words = [...new Set(values)].sort();
    return { y: (v: string) => H - (words.indexOf(v) / Math.max(1, words.length - 1)) * H, ends: [words[0] ?? "", words[words.length - 1] ?? ""] };
  });
  const passes = (r: RunDetail) => axes.every((a, i) => {
    const range = brush[a.key];
    if (!range) return true;
    const v = a.get(r);
    if (v === undefined) return false;
    const y = scales[i]?.y(v) ?? -1;
    return y >= range[0] - 2 && y <= range[1] + 2;
  });
  const brushed = Object.keys(brush).length > 0;
  const left = runs.filter(passes);
  const width = (axes.length - 1) * W;
  const yOf = (e: PointerEvent) => Math.max(0, Math.min(H, e.clientY - (svg.current?.getBoundingClientRect().top ?? 0) - 36));
  return (
    <>
      <div class="parallel" tabIndex={0} role="region" aria-label="axes">
        <svg ref={svg} width={width + 130} height={H + 64} role="img" aria-label={`${runs.length} runs over ${axes.length} axes`}
          onPointerMove={(e) => {
            const d = drag.current;
            if (d) setBrush({ ...brush, [d.key]: [Math.min(d.from, yOf(e)), Math.max(d.from, yOf(e))] });
          }}
          onPointerUp={() => {
            const d = drag.current;
            drag.current = null;
            const range = d && brush[d.key];
            // A click without a way takes the range off.
            if (d && (!range || range[1] - range[0] < 4)) setBrush(Object.fromEntries(Object.entries(brush).filter(([k]) => k !== d.key)));
          }}>
          <g transform="translate(50 36)">
            {[...runs].sort((a, b) => Number(passes(a)) - Number(passes(b))).map((r) => {
              const points = axes.flatMap((a, i) => {
                const v = a.get(r);
                return v === undefined ? [] : [`${i * W},${scales[i]?.y(v) ?? 0}`];
              });
              return <polyline key={r.id} points={points.join(" ")} class={`parallel-line${passes(r) ? "" : " parallel-out"}`} style={{ stroke: colours.get(r.id) ?? "" }}><title>{r.name || short(r.id)}</title></polyline>;
            })}
            {axes.map((a, i) => {
              const range = brush[a.key];
              return (
                <g key={a.key} transform={`translate(${i * W} 0)`}>
                  <line y2={H} class="parallel-axis" />
                  {range && <rect x={-7} width={14} y={range[0]} height={Math.max(2, range[1] - range[0])} class="parallel-brush" />}
                  <rect x={-14} width={28} y={-4} height={H + 8} class="parallel-grip" onPointerDown={(e) => {
                    drag.current = { key: a.key, from: yOf(e) };
                    svg.current?.setPointerCapture(e.pointerId);
                  }} />
                  <text y={-20} class="parallel-name">{a.key.length > 17 ? `${a.key.slice(0, 16)}…` : a.key}<title>{a.key}</title></text>
                  <text y={H + 16} class="parallel-end">{scales[i]?.ends[0]}</text>
                  <text y={-6} class="parallel-end">{scales[i]?.ends[1]}</text>
                </g>
              );
            })}
          </g>
        </svg>
      </div>
      {brushed && <p class="small" role="status">{plural(left.length, "run")} of {runs.length} {left.length === 1 ? "passes" : "pass"}: {left.slice(0, 8).map((r) => <a key={r.id} href={`/runs/${r.id}`}>{r.name || short(r.id)} </a>)}<button type="button" class="link" onClick={() => setBrush({})}>show all</button></p>}
    </>
  );
}
