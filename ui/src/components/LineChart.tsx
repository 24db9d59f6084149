// Line charts: the frame. The drawing library comes in its own file when the first chart is seen.
import { useEffect, useRef, useState } from "preact/hooks";
import { download } from "../lib/copy";
import { count } from "../lib/format";
import { theme } from "../lib/theme";
import type { Plot } from "./plot";
import "./LineChart.css";

export interface Line {
  label: string;
  colour: string;
  /** Ascending. */
  x: number[];
  y: number[];
  /** What was measured, when `y` is smoothed: drawn faintly behind it. */
  raw?: number[];
  /** Interval around the line. */
  low?: number[];
  high?: number[];
  dash?: boolean;
  points?: boolean;
}
export type Axis = "step" | "time" | "relative" | "number";
export interface ChartProps {
  title: string;
  lines: Line[];
  height?: number;
  /** time: ms since 1970; relative: ms since the start. */
  axis?: Axis;
  logY?: boolean;
  /** Charts with the same group share the cross-hair. */
  group?: string;
  /** A horizontal line: a gate, the baseline. */
  limit?: { value: number; label: string };
  zeroBased?: boolean;
  xLabel?: string;
  /** The part of the x axis that is shown; default: all. */
  view?: [number, number];
  /** A part was chosen by dragging; nothing: show all again. */
  onZoom?: (from?: number, to?: number) => void;
  /** Points behind the lines, when the lines are a selection of them. */
  total?: number;
  note?: string;
  onSeen?: (width: number) => void;
  onDrawn?: () => void;
  onEnlarge?: () => void;
  large?: boolean;
}
const LEGEND = 12;

export function LineChart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [seen, setSeen] = useState(false);
  const { lines, title, height = 180 } = props;
  const dark = theme.value;
  const empty = !lines.some((l) => l.x.length > 0);

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      setSeen(true);
      props.onSeen?.(el.clientWidth);
      void import("./plot");
      watch.disconnect();
    }, { rootMargin: "200px" });
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  // What only a new chart can change; other lines are drawn into the one that is there.
  useEffect(() => {
    plot.current?.destroy();
    plot.current = null;
    if (!seen || empty) return;
    let gone = false;
    void import("./plot").then(({ draw }) => {
      if (gone || !box.current) return;
      plot.current?.destroy();
      plot.current = draw(box.current, latest.current);
    });
    return () => {
      gone = true;
    };
  }, [seen, empty, dark, props.logY, props.axis, height]);
  useEffect(() => plot.current?.update(latest.current), [lines, props.limit?.value, props.view?.[0], props.view?.[1]]);
  useEffect(() => () => plot.current?.destroy(), []);

  const csv = () => {
    const rows = ["series,x,y", ...lines.flatMap((l) => l.x.map((x, i) => `"${l.label.replaceAll('"', '""')}",${x},${(l.raw ?? l.y)[i]}`))];
    download(`${title}.csv`, "text/csv", rows.join("\n") + "\n");
  };
  const png = () => box.current?.querySelector("canvas")?.toBlob((blob) => blob && download(`${title}.png`, "image/png", blob));
  const svg = () => plot.current && download(`${title}.svg`, "image/svg+xml", plot.current.svg());
  const points = lines.reduce((n, l) => n + l.x.length, 0);
  return (
    <figure class={`chart${props.large ? " chart-large" : ""}`}>
      <figcaption>
        <span class="chart-title">{title}</span>
        {props.note && <span class="chart-note">{props.note}</span>}
        <span class="chart-tools">
          {props.view && props.onZoom && <button type="button" class="chart-back" onClick={() => props.onZoom?.()}>show all</button>}
          {props.onEnlarge && <button type="button" onClick={props.onEnlarge} aria-label={`${title} ${props.large ? "small" : "large"}`}>{props.large ? "small" : "large"}</button>}
          <button type="button" onClick={csv} aria-label={`${title} as CSV`} title="the points that are drawn">CSV</button>
          <button type="button" onClick={svg} aria-label={`${title} as SVG`}>SVG</button>
          <button type="button" onClick={png} aria-label={`${title} as PNG`}>PNG</button>
        </span>
      </figcaption>
      <div ref={box} class="chart-box" style={{ height: `${height}px` }} role="img" aria-label={`${title}: ${lines.length} ${lines.length === 1 ? "line" : "lines"}, ${count(props.total ?? points)} points`}>
        {points === 0 && <p class="faint chart-none">{props.note === "loading" ? "Loading…" : "Not enough data."}</p>}
      </div>
      {lines.length > 1 && (
        <ul class="chart-legend">
          {lines.slice(0, LEGEND).map((l) => (
            <li key={l.label}><span style={{ borderTopColor: l.colour, borderTopStyle: l.dash ? "dashed" : "solid" }} />{l.label}</li>
          ))}
          {lines.length > LEGEND && <li class="faint">and {lines.length - LEGEND} more; point at one to see its name</li>}
        </ul>
      )}
    </figure>
  );
}
