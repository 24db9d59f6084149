// uPlot behind our own few options; loaded lazily. Lines keep every point they are given: gaps stay gaps, min and max per pixel are uPlot's own habit.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { resolve } from "../lib/colour";
import { metric, shortTime } from "../lib/format";
import type { ChartProps } from "./LineChart";

export interface Plot {
  destroy(): void;
}

/** Lines with own x values on one axis: the union of all x, null where a line has no point of its own. */
function align(props: ChartProps): uPlot.AlignedData {
  const xs = [...new Set(props.lines.flatMap((l) => l.x))].sort((a, b) => a - b);
  const at = new Map(xs.map((x, i) => [x, i]));
  const columns: (number | null | undefined)[][] = [];
  const put = (x: number[], y: number[]) => {
    // undefined: no point here, the line passes; null: a point that isn't a number, a gap.
    const column: (number | null | undefined)[] = new Array(xs.length).fill(undefined);
    x.forEach((v, i) => {
      const value = y[i] as number;
      column[at.get(v) as number] = Number.isFinite(value) ? value : null;
    });
    return column;
  };
  for (const line of props.lines) {
    columns.push(put(line.x, line.y));
    if (line.low && line.high) {
      columns.push(put(line.x, line.high));
      columns.push(put(line.x, line.low));
    }
  }
  return [xs, ...columns] as uPlot.AlignedData;
}

/** Steps and windows have no halves. */
const whole = [1, 2, 5].flatMap((m) => Array.from({ length: 13 }, (_, e) => m * 10 ** e)).sort((a, b) => a - b);

export function draw(box: HTMLElement, props: ChartProps): Plot {
  const ink = resolve("--ink2");
  const grid = resolve("--line");
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const data = align(props);
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  const shown: { index: number; label: string; colour: string }[] = [];
  for (const line of props.lines) {
    const colour = line.colour.startsWith("var(") ? resolve(line.colour) : line.colour;
    shown.push({ index: series.length, label: line.label, colour });
    series.push({ label: line.label, stroke: colour, width: 1.5, ...(line.dash ? { dash: [5, 4] } : {}), points: { show: line.points ?? line.x.length < 3, size: 5, fill: colour }, spanGaps: false });
    if (line.low && line.high) {
      const n = series.length;
      series.push({ stroke: "transparent", width: 0, points: { show: false } }, { stroke: "transparent", width: 0, points: { show: false } });
      bands.push({ series: [n, n + 1], fill: colour + "26" });
    }
  }
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  const showTip = (u: uPlot) => {
    const { left = -1, idx } = u.cursor;
    if (left < 0 || idx === null || idx === undefined) {
      tip.style.display = "none";
      return;
    }
    const x = (data[0] as number[])[idx] as number;
    tip.replaceChildren();
    const head = document.createElement("b");
    head.textContent = props.time ? shortTime(x) : `${props.xLabel ?? "step"} ${metric(x)}`;
    tip.append(head);
    for (const s of shown.slice(0, 12)) {
      const column = data[s.index] as (number | null | undefined)[];
      let i = idx;
      while (i >= 0 && (column[i] === undefined || column[i] === null)) i--;
      if (i < 0) continue;
      const row = document.createElement("div");
      const key = document.createElement("i");
      key.style.background = s.colour;
      row.append(key, `${metric(column[i] as number)}${shown.length > 1 ? `  ${s.label}` : ""}`);
      tip.append(row);
    }
    tip.style.display = "block";
    const room = u.over.clientWidth - left;
    tip.style.top = "4px";
    tip.style.left = room > tip.offsetWidth + 16 ? `${left + u.over.offsetLeft + 10}px` : `${left + u.over.offsetLeft - tip.offsetWidth - 10}px`;
  };
  const limit = props.limit;
  const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const size = () => ({ width: Math.max(120, box.clientWidth), height: Math.max(80, box.clientHeight) });
  const u = new uPlot(
    {
      ...size(),
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { ...(props.group ? { sync: { key: props.group } } : {}), points: { size: 6 }, y: false, drag: { x: true, y: false } },
      scales: {
        x: { time: props.time ?? false },
        y: {
          distr: props.logY ? 3 : 1,
          range: (_u, low, high) => {
            if (limit && Number.isFinite(limit.value)) {
              low = Math.min(low ?? limit.value, limit.value);
              high = Math.max(high ?? limit.value, limit.value);
            }
            if (low === null || high === null) return [0, 1];
            if (props.logY) return [low, high];
            const pad = (high - low || Math.abs(high) || 1) * 0.08;
            return [props.zeroBased ? 0 : low - pad, high + pad];
          },
        },
      },
      axes: [
        { ...axis, size: 24, space: 60, ...(!props.time && (data[0] as number[]).every(Number.isInteger) ? { incrs: whole } : {}), ...(props.time ? { values: (_u: uPlot, ticks: number[]) => ticks.map((t) => shortTime(t * 1000)) } : {}) },
        { ...axis, size: 52, space: 28, values: (_u: uPlot, ticks: number[]) => ticks.map((t) => (t === null ? "" : Number(t.toPrecision(6)).toString())) },
      ],
      series,
      bands,
      hooks: {
        setCursor: [showTip],
        draw: limit && Number.isFinite(limit.value) ? [(chart: uPlot) => {
          const y = Math.round(chart.valToPos(limit.value, "y", true));
          const { ctx } = chart;
          const { left, width } = chart.bbox;
          ctx.save();
          ctx.strokeStyle = resolve("--warn");
          ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
          ctx.lineWidth = devicePixelRatio;
          ctx.beginPath();
          ctx.moveTo(left, y);
          ctx.lineTo(left + width, y);
          ctx.stroke();
          ctx.fillStyle = resolve("--warn");
          ctx.font = `${12 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
          ctx.textAlign = "right";
          ctx.fillText(limit.label, left + width - 4, y - 5 * devicePixelRatio);
          ctx.restore();
        }] : [],
      },
    },
    props.time ? ([(data[0] as number[]).map((t) => t / 1000), ...data.slice(1)] as uPlot.AlignedData) : data,
    box,
  );
  box.append(tip);
  const resize = new ResizeObserver(() => u.setSize(size()));
  resize.observe(box);
  return {
    destroy() {
      resize.disconnect();
      tip.remove();
      u.destroy();
    },
  };
}
