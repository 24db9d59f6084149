// Line charts: uPlot gives the axes, scales, cursor and zoom; the lines are drawn here, because each has its own x values and a hundred of them must
// not be widened to one common x column.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { resolve } from "../lib/colour";
import { metric, seconds, shortTime } from "../lib/format";
import type { ChartProps, Line } from "./LineChart";

export interface Plot {
  /** Other lines or limits on the same axes. */
  update(props: ChartProps): void;
  svg(): string;
  destroy(): void;
}

/** Steps and windows have no halves. */
const whole = [1, 2, 5].flatMap((m) => Array.from({ length: 13 }, (_, e) => m * 10 ** e)).sort((a, b) => a - b);

/** First index whose x is at least `at`. */
export function lowerBound(x: number[], at: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((x[mid] as number) < at) low = mid + 1;
    else high = mid;
  }
  return low;
}
function nearest(line: Line, at: number): number {
  const i = lowerBound(line.x, at);
  if (i === 0) return 0;
  if (i >= line.x.length) return line.x.length - 1;
  return at - (line.x[i - 1] as number) <= (line.x[i] as number) - at ? i - 1 : i;
}

export function draw(box: HTMLElement, first: ChartProps): Plot {
  let props = first;
  const unit = () => (props.axis === "time" ? 1000 : 1); // uPlot's time is in seconds
  const ink = resolve("--ink2");
  const grid = resolve("--line");
  const family = getComputedStyle(document.body).fontFamily;
  const colour = (c: string) => (c.startsWith("var(") ? resolve(c) : c);

  const xRange = (): [number, number] => {
    if (props.view) return [props.view[0] / unit(), props.view[1] / unit()];
    let low = Infinity;
    let high = -Infinity;
    for (const l of props.lines) {
      if (!l.x.length) continue;
      low = Math.min(low, l.x[0] as number);
      high = Math.max(high, l.x[l.x.length - 1] as number);
    }
    if (low > high) return [0, 1];
    if (low === high) return [(low - 1) / unit(), (high + 1) / unit()];
    return [low / unit(), high / unit()];
  };
  /** Of what is in view, so that a zoom shows its own detail. */
  const yRange = (): [number, number] => {
    const [from, to] = [(chart?.scales["x"]?.min ?? xRange()[0]) * unit(), (chart?.scales["x"]?.max ?? xRange()[1]) * unit()];
    let low = Infinity;
    let high = -Infinity;
    const take = (v: number | undefined) => {
      if (v === undefined || !Number.isFinite(v) || (props.logY && v <= 0)) return;
      if (v < low) low = v;
      if (v > high) high = v;
    };
    for (const l of props.lines) {
      const a = lowerBound(l.x, from);
      for (let i = a; i < l.x.length && (l.x[i] as number) <= to; i++) {
        take(l.raw ? l.raw[i] : l.y[i]);
        take(l.low?.[i]);
        take(l.high?.[i]);
      }
    }
    if (props.limit) take(props.limit.value);
    if (low > high) return props.logY ? [0.1, 1] : [0, 1];
    if (props.logY) return low === high ? [low / 2, high * 2] : [low, high];
    const pad = (high - low || Math.abs(high) || 1) * 0.06;
    return [props.zeroBased ? Math.min(0, low) : low - pad, high + pad];
  };

  let chart: uPlot | undefined = undefined;
  const axis = { stroke: ink, font: `12px ${family}`, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const size = () => ({ width: Math.max(120, box.clientWidth), height: Math.max(80, box.clientHeight) });
  const xText = (v: number) => (props.axis === "time" ? shortTime(v * 1000) : props.axis === "relative" ? seconds(v / 1000) : Number(v.toPrecision(9)).toLocaleString("en-US"));
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  const dot = document.createElement("div");
  dot.className = "chart-dot";

  const showTip = (u: uPlot) => {
    const { left = -1, top = -1 } = u.cursor;
    if (left < 0) {
      tip.style.display = dot.style.display = "none";
      return;
    }
    const x = u.posToVal(left, "x") * unit();
    const mine = u.cursor.event !== undefined && top >= 0;
    const at = props.lines.flatMap((line) => {
      if (!line.x.length) return [];
      const i = nearest(line, x);
      const y = line.y[i] as number;
      return [{ line, i, y, x: line.x[i] as number, away: Math.abs(u.valToPos(Number.isFinite(y) ? y : 0, "y") - top) }];
    });
    if (!at.length) return;
    const closest = [...at].sort((a, b) => a.away - b.away);
    const shown = at.length > 10 ? closest.slice(0, 10) : [...at].sort((a, b) => b.y - a.y);
    tip.replaceChildren();
    const head = document.createElement("b");
    const exact = closest[0]?.x ?? x;
    head.textContent = props.axis === "time" ? shortTime(exact) : props.axis === "relative" ? seconds(exact / 1000) : `${props.xLabel ?? "step"} ${props.axis === "number" ? metric(exact) : Math.round(exact).toLocaleString("en-US")}`;
    tip.append(head);
    for (const p of shown) {
      const row = document.createElement("div");
      if (mine && p === closest[0] && at.length > 1) row.className = "chart-tip-near";
      const key = document.createElement("i");
      key.style.background = colour(p.line.colour);
      const raw = p.line.raw?.[p.i];
      const name = document.createElement("span");
      name.textContent = at.length > 1 ? p.line.label : "";
      const value = document.createElement("em");
      value.textContent = metric(p.y) + (raw !== undefined && raw !== p.y ? ` (${metric(raw)})` : "");
      row.append(key, value, name);
      tip.append(row);
    }
    if (at.length > shown.length) {
      const rest = document.createElement("div");
      rest.className = "faint";
      rest.textContent = `${at.length - shown.length} further away`;
      tip.append(rest);
    }
    tip.style.display = "block";
    const room = u.over.clientWidth - left;
    tip.style.top = "4px";
    tip.style.left = room > tip.offsetWidth + 16 ? `${left + u.over.offsetLeft + 10}px` : `${Math.max(0, left + u.over.offsetLeft - tip.offsetWidth - 10)}px`;
    const near = closest[0];
    if (mine && near && Number.isFinite(near.y)) {
      dot.style.display = "block";
      dot.style.background = colour(near.line.colour);
      dot.style.transform = `translate(${u.over.offsetLeft + u.valToPos(near.x / unit(), "x") - 4}px, ${u.over.offsetTop + u.valToPos(near.y, "y") - 4}px)`;
    } else dot.style.display = "none";
  };

  /** Calls `move`, `line` along every stretch without a gap, in pixels of the canvas. */
  const trace = (u: uPlot, line: Line, ys: number[], move: (x: number, y: number) => void, to: (x: number, y: number) => void) => {
    const { min: x0 = 0, max: x1 = 1 } = u.scales["x"] as { min?: number; max?: number };
    const { min: y0 = 0, max: y1 = 1 } = u.scales["y"] as { min?: number; max?: number };
    const { left, top, width, height } = u.bbox;
    const sx = width / ((x1 - x0) * unit());
    const log = props.logY;
    const b0 = log ? Math.log10(y0) : y0;
    const sy = height / ((log ? Math.log10(y1) : y1) - b0);
    let open = false;
    const { x } = line;
    // One point outside on either side, so that lines reach the edge.
    const from = Math.max(0, lowerBound(x, x0 * unit()) - 1);
    const end = Math.min(x.length, lowerBound(x, x1 * unit()) + 2);
    for (let i = from; i < end; i++) {
      const v = ys[i] as number;
      if (!Number.isFinite(v) || (log && v <= 0)) {
        open = false;
        continue;
      }
      const px = left + ((x[i] as number) - x0 * unit()) * sx;
      const py = top + height - ((log ? Math.log10(v) : v) - b0) * sy;
      if (open) to(px, py);
      else move(px, py);
      open = true;
    }
  };

  const paint = (u: uPlot) => {
    const { ctx } = u;
    const scale = devicePixelRatio;
    const { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    ctx.lineJoin = "round";
    const thin = props.lines.length > 20;
    for (const l of props.lines) {
      const stroke = colour(l.colour);
      if (l.low && l.high) {
        const edge: [number, number][] = [];
        trace(u, l, l.high, (x, y) => edge.push([x, y]), (x, y) => edge.push([x, y]));
        const under: [number, number][] = [];
        trace(u, l, l.low, (x, y) => under.push([x, y]), (x, y) => under.push([x, y]));
        ctx.beginPath();
        [...edge, ...under.reverse()].forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
        ctx.fillStyle = stroke + "26";
        ctx.fill();
      }
      ctx.strokeStyle = stroke;
      const path = (ys: number[]) => {
        ctx.beginPath();
        trace(u, l, ys, (x, y) => ctx.moveTo(x, y), (x, y) => ctx.lineTo(x, y));
        ctx.stroke();
      };
      if (l.raw) {
        ctx.globalAlpha = 0.28;
        ctx.lineWidth = scale;
        path(l.raw);
        ctx.globalAlpha = 1;
      }
      ctx.globalAlpha = thin ? 0.75 : 1;
      ctx.lineWidth = (thin ? 1 : 1.5) * scale;
      ctx.setLineDash(l.dash ? [5 * scale, 4 * scale] : []);
      path(l.y);
      ctx.setLineDash([]);
      ctx.globalAlpha = 1;
      // A point between two gaps has no line: it shows as a dot.
      ctx.fillStyle = stroke;
      const dots = l.points ?? l.x.length < 3;
      l.y.forEach((v, i) => {
        const alone = !Number.isFinite(l.y[i - 1] ?? NaN) && !Number.isFinite(l.y[i + 1] ?? NaN);
        if (!Number.isFinite(v) || !(dots || alone) || (props.logY && v <= 0)) return;
        ctx.beginPath();
        ctx.arc(u.valToPos((l.x[i] as number) / unit(), "x", true), u.valToPos(v, "y", true), 2.5 * scale, 0, 7);
        ctx.fill();
      });
    }
    const { limit } = props;
    if (limit && Number.isFinite(limit.value)) {
      const y = Math.round(u.valToPos(limit.value, "y", true));
      ctx.strokeStyle = ctx.fillStyle = resolve("--warn");
      ctx.setLineDash([4 * scale, 4 * scale]);
      ctx.lineWidth = scale;
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
      ctx.font = `${12 * scale}px ${family}`;
      ctx.textAlign = "right";
      ctx.fillText(limit.label, left + width - 4, y - 5 * scale);
    }
    ctx.restore();
    props.onDrawn?.();
  };

  const data = (): uPlot.AlignedData => [xRange(), [null, null]];
  const u = new uPlot(
    {
      ...size(),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { ...(props.group ? { sync: { key: props.group, scales: ["x", null] as [string, null] } } : {}), points: { show: false }, y: false, drag: { x: true, y: false, setScale: !props.onZoom } },
      scales: { x: { time: false, range: (_u, low, high) => (low === null || high === null ? xRange() : [low, high]) }, y: { distr: props.logY ? 3 : 1, range: () => yRange() } },
      axes: [
        { ...axis, size: 24, space: 72, ...(props.axis === "step" || props.axis === undefined ? { incrs: whole } : {}), values: (_u: uPlot, ticks: number[]) => ticks.map(xText) },
        { ...axis, size: 56, space: 28, values: (_u: uPlot, ticks: (number | null)[]) => ticks.map((t) => (t === null ? "" : Math.abs(t) >= 1e6 || (t !== 0 && Math.abs(t) < 1e-4) ? t.toExponential(0) : Number(t.toPrecision(6)).toString())) },
      ],
      series: [{}, { show: true, stroke: "transparent" }],
      hooks: {
        setCursor: [showTip],
        draw: [paint],
        setSelect: [(chart) => {
          const { left, width } = chart.select;
          if (!props.onZoom || width < 4) return;
          props.onZoom(Math.floor(chart.posToVal(left, "x") * unit()), Math.ceil(chart.posToVal(left + width, "x") * unit()));
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    },
    data(),
    box,
  );
  chart = u;
  u.setScale("y", { min: yRange()[0], max: yRange()[1] });
  u.over.addEventListener("dblclick", () => props.onZoom?.());
  box.append(tip, dot);
  const resize = new ResizeObserver(() => u.setSize(size()));
  resize.observe(box);

  return {
    update(next) {
      props = next;
      u.setData(data());
      showTip(u);
    },
    svg() {
      const { width, height } = size();
      const k = 1 / devicePixelRatio;
      const b = u.bbox;
      const n = (v: number) => (Math.round(v * 10) / 10).toString();
      const safe = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
      const ticks = (at: number) => {
        const a = u.axes[at] as uPlot.Axis & { _splits?: (number | null)[]; _values?: (string | null)[] };
        return (a._splits ?? []).flatMap((v, i) => (v === null || !a._values?.[i] ? [] : [{ v, text: String(a._values[i]) }]));
      };
      const out = [`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + 22}" viewBox="0 -22 ${width} ${height + 22}" font-family="sans-serif" font-size="12">`, `<rect y="-22" width="${width}" height="${height + 22}" fill="${resolve("--ground")}"/>`, `<text x="4" y="-6" fill="${resolve("--ink")}" font-weight="600">${safe(props.title)}</text>`];
      for (const t of ticks(1)) {
        const y = u.valToPos(t.v, "y", true) * k;
        out.push(`<path d="M${n(b.left * k)} ${n(y)}h${n(b.width * k)}" stroke="${grid}"/><text x="${n(b.left * k - 5)}" y="${n(y + 4)}" text-anchor="end" fill="${ink}">${safe(t.text)}</text>`);
      }
      for (const t of ticks(0)) out.push(`<text x="${n(u.valToPos(t.v, "x", true) * k)}" y="${n((b.top + b.height) * k + 15)}" text-anchor="middle" fill="${ink}">${safe(t.text)}</text>`);
      out.push(`<clipPath id="c"><rect x="${n(b.left * k)}" y="${n(b.top * k)}" width="${n(b.width * k)}" height="${n(b.height * k)}"/></clipPath><g clip-path="url(#c)" fill="none" stroke-linejoin="round">`);
      for (const l of props.lines) {
        for (const [ys, opacity] of [[l.raw, 0.28], [l.y, 1]] as const) {
          if (!ys) continue;
          let d = "";
          trace(u, l, ys, (x, y) => (d += `M${n(x * k)} ${n(y * k)}`), (x, y) => (d += `L${n(x * k)} ${n(y * k)}`));
          out.push(`<path d="${d}" stroke="${colour(l.colour)}" stroke-width="1.5" opacity="${opacity}"${l.dash ? ' stroke-dasharray="5 4"' : ""}><title>${safe(l.label)}</title></path>`);
        }
      }
      return out.join("") + "</g></svg>\n";
    },
    destroy() {
      resize.disconnect();
      tip.remove();
      dot.remove();
      u.destroy();
    },
  };
}
