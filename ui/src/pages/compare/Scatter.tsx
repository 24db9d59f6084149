// Any param or metric against any other, one dot a run.
import type { RunDetail } from "../../api/types";
import { metric, short, toNumber } from "../../lib/format";
import { arg, navigate, setQuery } from "../../lib/router";

const W = 560;
const H = 280;
const PAD = { left: 64, right: 16, top: 12, bottom: 34 };

const valueOf = (r: RunDetail, key: string) => (key.startsWith("m.") ? toNumber(r.metrics[key.slice(2)]) : r.params[key.slice(2)] === undefined || r.params[key.slice(2)] === "" ? NaN : Number(r.params[key.slice(2)]));

export function Scatter({ runs, colours, params, metrics }: { runs: RunDetail[]; colours: Map<string, string>; params: string[]; metrics: string[] }) {
  const keys = [...params.map((k) => `p.${k}`), ...metrics.map((k) => `m.${k}`)].filter((k) => runs.filter((r) => Number.isFinite(valueOf(r, k))).length > 1);
  if (keys.length < 2) return <p class="faint">Fewer than two figures differ.</p>;
  const pick = (name: string, otherwise: string) => (keys.includes(arg(name)) ? arg(name) : otherwise);
  const y = pick("sy", keys.find((k) => k.startsWith("m.")) ?? (keys[1] as string));
  const x = pick("sx", keys.find((k) => k !== y) as string);
  const dots = runs.map((run) => ({ run, x: valueOf(run, x), y: valueOf(run, y) })).filter((d) => Number.isFinite(d.x) && Number.isFinite(d.y));
  const scale = (values: number[], length: number) => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    const pad = (high - low || Math.abs(high) || 1) * 0.05;
    return { of: (v: number) => ((v - low + pad) / (high - low + 2 * pad)) * length, ticks: [low, (low + high) / 2, high] };
  };
  const sx = scale(dots.map((d) => d.x), W - PAD.left - PAD.right);
  const sy = scale(dots.map((d) => d.y), H - PAD.top - PAD.bottom);
  const select = (name: string, value: string) => (
    <select class="input" value={value} onChange={(e) => setQuery({ [name]: e.currentTarget.value })}>
      {keys.map((k) => <option key={k} value={k}>{k.slice(2)}</option>)}
    </select>
  );
  return (
    <>
      <div class="row charts-bar"><label>up {select("sy", y)}</label><label>across {select("sx", x)}</label>{dots.length < runs.length && <span class="faint">{runs.length - dots.length} of {runs.length} runs lack one of them</span>}</div>
      {dots.length === 0 ? <p class="faint">No run has both.</p> : (
        <svg class="scatter" viewBox={`0 0 ${W} ${H}`} role="group" aria-label={`${y.slice(2)} over ${x.slice(2)} of ${dots.length} runs`}>
          {sy.ticks.map((t, i) => (
            <g key={i} transform={`translate(0 ${H - PAD.bottom - sy.of(t)})`}><line x1={PAD.left} x2={W - PAD.right} class="scatter-grid" /><text x={PAD.left - 6} y={4} text-anchor="end">{metric(t)}</text></g>
          ))}
          {sx.ticks.map((t, i) => <text key={i} x={PAD.left + sx.of(t)} y={H - PAD.bottom + 16} text-anchor="middle">{metric(t)}</text>)}
          <text x={W - PAD.right} y={H - 3} text-anchor="end" class="scatter-name">{x.slice(2)}</text>
          {dots.map((d) => (
            <a key={d.run.id} href={`/runs/${d.run.id}`} aria-label={`${d.run.name || short(d.run.id)}: ${x.slice(2)} ${metric(d.x)}, ${y.slice(2)} ${metric(d.y)}`} onClick={(e) => {
              e.preventDefault();
              navigate(`/runs/${d.run.id}`);
            }}>
              <circle cx={PAD.left + sx.of(d.x)} cy={H - PAD.bottom - sy.of(d.y)} r="5" fill={colours.get(d.run.id)}><title>{`${d.run.name || short(d.run.id)}\n${x.slice(2)} ${metric(d.x)}\n${y.slice(2)} ${metric(d.y)}`}</title></circle>
            </a>
          ))}
        </svg>
      )}
    </>
  );
}
