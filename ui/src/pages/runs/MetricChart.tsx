// One chart of metric histories: asks the server for as many points as its width can show, again when zoomed, and when something was written.
import { useMemo, useRef, useState } from "preact/hooks";
import { api, useApi } from "../../api/client";
import type { Curve } from "../../api/types";
import { type Axis, type Line, LineChart } from "../../components/LineChart";
import { coloursOf } from "../../lib/colour";
import { count, plural, toNumber } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { smooth } from "./runs";

export interface ChartView {
  axis: Axis;
  log: boolean;
  weight: number;
  zoom?: [number, number];
}
export function chartView(): ChartView {
  const x = arg("x");
  const [from, to] = arg("zoom").split("..").map(Number);
  return {
    axis: x === "time" || x === "relative" ? x : "step",
    log: arg("log") === "1",
    weight: Math.min(0.99, Math.max(0, Number(arg("smooth", "0")) || 0)),
    ...(arg("zoom") && Number.isFinite(from) && Number.isFinite(to) ? { zoom: [from as number, to as number] as [number, number] } : {}),
  };
}

/** Of one run the keys have their colours, else the runs. */
const keyColour = (key: string) => (/^(valid|test|eval)/.test(key) ? "var(--c1)" : "var(--c0)");

export function MetricChart({ title, runs, keys, view, group, height }: { title: string; runs: { id: string; name: string }[]; keys: string[]; view: ChartView; group?: string; height?: number }) {
  const [width, setWidth] = useState(0);
  const { zoom, axis, log, weight } = view;
  const large = arg("large") === title;
  const columns = Math.min(4000, Math.max(100, Math.ceil((large ? Math.max(width, 1000) : width) / 100) * 100));
  const answer = useApi<Curve[]>(width && runs.length ? api("/metrics", { runs: runs.map((r) => r.id).join(","), keys: keys.join(","), axis: axis === "step" ? undefined : axis, columns, from: zoom?.[0], to: zoom?.[1] }) : null);
  // While a zoom is being read, what was there stays.
  const kept = useRef<Curve[]>([]);
  if (answer.data) kept.current = answer.data;
  const curves = answer.data ?? kept.current;
  const lines = useMemo((): Line[] => {
    const names = new Map(runs.map((r) => [r.id, r.name]));
    const colours = coloursOf(runs.map((r) => r.id));
    return curves.map((c): Line => {
      const y = c.value.map(toNumber);
      return {
        label: runs.length === 1 ? c.key : `${names.get(c.run) ?? c.run}${keys.length > 1 ? ` ${c.key}` : ""}`,
        colour: runs.length === 1 ? keyColour(c.key) : (colours.get(c.run) ?? "var(--c0)"),
        x: c.x,
        y: weight > 0 ? smooth(y, weight) : y,
        ...(weight > 0 ? { raw: y } : {}),
      };
    });
  }, [curves, weight, runs.length, keys.length]);
  const total = curves.reduce((n, c) => n + c.total, 0);
  const drawn = lines.reduce((n, l) => n + l.x.length, 0);
  const note = !answer.data && !curves.length ? "loading" : total > drawn && !zoom ? `${plural(total, "point")}, every spike` : zoom ? `${count(zoom[0])} to ${count(zoom[1])}` : "";
  return (
    <LineChart title={title} lines={lines} axis={axis} logY={log} height={large ? 380 : (height ?? 180)} large={large} total={total} {...(group ? { group } : {})} {...(note ? { note } : {})} {...(zoom ? { view: zoom } : {})} onSeen={setWidth}
      onZoom={(from, to) => setQuery({ zoom: from === undefined || to === undefined ? null : `${from}..${to}` })}
      onEnlarge={() => setQuery({ large: large ? null : title })}
      onDrawn={() => drawn > 0 && performance.mark(`chart ${title}`)} />
  );
}
