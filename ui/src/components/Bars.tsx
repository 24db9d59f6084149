// Small bar pictures in SVG: a distribution against its reference, and top values. Bars start at zero, always.
import { count, metric, percent } from "../lib/format";
import "./Bars.css";

/** Counts as shares, the reference as a step line behind. Bins may have unequal widths in value: they are drawn side by side, as counted. */
export function Distribution({ reference, window, labels, height = 140, colour = "var(--accent)", names = ["window", "reference"] }: { reference: number[]; window: number[]; labels: string[]; height?: number; colour?: string; names?: [string, string] }) {
  const sumR = reference.reduce((a, b) => a + b, 0);
  const sumW = window.reduce((a, b) => a + b, 0);
  const n = Math.max(reference.length, window.length);
  if (!n || (!sumR && !sumW)) return <p class="faint">Not enough data.</p>;
  const r = (i: number) => (sumR ? (reference[i] ?? 0) / sumR : 0);
  const w = (i: number) => (sumW ? (window[i] ?? 0) / sumW : 0);
  let top = 0;
  for (let i = 0; i < n; i++) top = Math.max(top, r(i), w(i));
  const W = 100 / n;
  const y = (share: number) => 100 - (share / top) * 100;
  let line = "";
  for (let i = 0; i < n; i++) line += `${i ? "L" : "M"}${i * W} ${y(r(i))}L${(i + 1) * W} ${y(r(i))}`;
  const every = Math.max(1, Math.ceil(n / 8));
  return (
    <figure class="dist">
      <div class="dist-plot">
        <span class="dist-top small faint">{percent(top)}</span>
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" style={{ height: `${height}px` }} role="img" aria-label={`Shares of ${n} bins, window of ${count(sumW)} rows against reference of ${count(sumR)} rows`}>
          {window.map((c, i) => (
            <rect key={i} x={i * W + W * 0.08} width={W * 0.84} y={y(w(i))} height={100 - y(w(i))} fill={colour} opacity="0.75">
              <title>{`${labels[i] ?? i}: ${percent(w(i), 1)} of the window (${count(c)}), ${percent(r(i), 1)} of the reference (${count(reference[i] ?? 0)})`}</title>
            </rect>
          ))}
          {sumR > 0 && <path d={line} class="dist-line" vector-effect="non-scaling-stroke" />}
        </svg>
      </div>
      <div class="dist-labels" aria-hidden="true">
        {labels.map((l, i) => (
          <span key={i} style={{ width: `${W}%` }}>{i % every === 0 || (n <= 8) ? l : ""}</span>
        ))}
      </div>
      <figcaption class="small dim">
        <span class="dist-key" style={{ background: colour }} /> {names[0]}, {count(sumW)} rows {sumR > 0 && <><span class="dist-key dist-key-line" /> {names[1]}, {count(sumR)} rows</>}
      </figcaption>
    </figure>
  );
}

/** A histogram of the size of a word. */
export function Spark({ counts, width = 120, height = 22, colour = "var(--accent)", label }: { counts: number[]; width?: number; height?: number; colour?: string; label: string }) {
  const top = Math.max(...counts, 0);
  if (!counts.length || top <= 0) return <span class="faint small">–</span>;
  const w = width / counts.length;
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      {counts.map((c, i) => {
        const h = c > 0 ? Math.max(1, (c / top) * (height - 1)) : 0;
        return <rect key={i} x={i * w} y={height - h} width={Math.max(0.5, w - (w > 3 ? 1 : 0))} height={h} fill={colour} />;
      })}
    </svg>
  );
}

/** Horizontal bars with count and share. */
export function TopValues({ items, total }: { items: { label: string; count: number }[]; total: number }) {
  const top = Math.max(...items.map((i) => i.count), 1);
  return (
    <ul class="tops">
      {items.map((i) => (
        <li key={i.label}>
          <span class="clip" title={i.label}>{i.label === "" ? "(empty)" : i.label}</span>
          <span class="tops-bar"><span style={{ width: `${(i.count / top) * 100}%` }} /></span>
          <span class="num">{count(i.count)}</span>
          <span class="num dim">{percent(i.count / (total || 1), 1)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Bars around zero or from zero: importances, coefficients. */
export function BarList({ items, digits }: { items: { label: string; value: number }[]; digits?: number }) {
  const top = Math.max(...items.map((i) => Math.abs(i.value)), 1e-12);
  return (
    <ul class="tops tops-3">
      {items.map((i) => (
        <li key={i.label}>
          <span class="clip" title={i.label}>{i.label}</span>
          <span class="tops-bar"><span style={{ width: `${(Math.abs(i.value) / top) * 100}%`, ...(i.value < 0 ? { background: "var(--warn)" } : {}) }} /></span>
          <span class="num">{metric(i.value, digits ?? 4)}</span>
        </li>
      ))}
    </ul>
  );
}
