// Line charts: the frame. The drawing library comes in its own file when the first chart is seen.
import { useEffect, useRef, useState } from "preact/hooks";
import { download } from "../lib/copy";
import { theme } from "../lib/theme";
import type { Plot } from "./plot";
import "./LineChart.css";

export interface Line {
  label: string;
  colour: string;
  x: number[];
  y: number[];
  /** Interval around the line. */
  low?: number[];
  high?: number[];
  dash?: boolean;
  points?: boolean;
}
export interface ChartProps {
  title: string;
  lines: Line[];
  height?: number;
  time?: boolean;
  logY?: boolean;
  /** Charts with the same group share the cross-hair. */
  group?: string;
  /** A horizontal line: a gate, the baseline. */
  limit?: { value: number; label: string };
  zeroBased?: boolean;
  xLabel?: string;
}

export function LineChart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [seen, setSeen] = useState(false);
  const { lines, title, height = 180 } = props;
  const dark = theme.value;

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const watch = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && setSeen(true), { rootMargin: "200px" });
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    plot.current?.destroy();
    plot.current = null;
    if (!seen || !lines.some((l) => l.x.length > 0)) return;
    let gone = false;
    void import("./plot").then(({ draw }) => {
      if (gone || !box.current) return;
      plot.current?.destroy();
      plot.current = draw(box.current, props);
    });
    return () => {
      gone = true;
    };
  }, [seen, lines, dark, props.logY, props.time, props.limit?.value, height]);
  useEffect(() => () => plot.current?.destroy(), []);

  const csv = () => {
    const rows = ["series,x,y", ...lines.flatMap((l) => l.x.map((x, i) => `${JSON.stringify(l.label)},${x},${l.y[i]}`))];
    download(`${title}.csv`, "text/csv", rows.join("\n") + "\n");
  };
  const png = () => box.current?.querySelector("canvas")?.toBlob((blob) => blob && download(`${title}.png`, "image/png", blob));
  const points = lines.reduce((n, l) => n + l.x.length, 0);
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-tools">
          <button type="button" onClick={csv} aria-label={`${title} as CSV`}>CSV</button>
          <button type="button" onClick={png} aria-label={`${title} as PNG`}>PNG</button>
        </span>
      </figcaption>
      <div ref={box} class="chart-box" style={{ height: `${height}px` }} role="img" aria-label={`${title}: ${lines.length} ${lines.length === 1 ? "line" : "lines"}, ${points} points`}>
        {points === 0 && <p class="faint chart-none">Not enough data.</p>}
      </div>
      {lines.length > 1 && (
        <ul class="chart-legend">
          {lines.map((l) => (
            <li key={l.label}><span style={{ borderTopColor: l.colour, borderTopStyle: l.dash ? "dashed" : "solid" }} />{l.label}</li>
          ))}
        </ul>
      )}
    </figure>
  );
}
