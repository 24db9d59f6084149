// A value with its 95 % interval on a common scale, against a reference mark (the champion, the limit).
import type { Interval } from "../api/types";
import { metric, toNumber } from "../lib/format";
import "./IntervalBar.css";

export function IntervalBar({ value, range, mark, label }: { value: Interval; range: [number, number]; mark?: number; label: string }) {
  const v = toNumber(value.value);
  const low = toNumber(value.low ?? null);
  const high = toNumber(value.high ?? null);
  const [a, b] = range;
  const x = (n: number) => `${Math.max(0, Math.min(100, ((n - a) / (b - a || 1)) * 100))}%`;
  const has = Number.isFinite(low) && Number.isFinite(high);
  return (
    <span class="interval" role="img" aria-label={`${label} ${metric(value.value)}${has ? `, from ${metric(low)} to ${metric(high)}` : ""}`}>
      {has && <span class="interval-band" style={{ left: x(low), width: `calc(${x(high)} - ${x(low)})` }} />}
      {mark !== undefined && Number.isFinite(mark) && <span class="interval-mark" style={{ left: x(mark) }} />}
      {Number.isFinite(v) && <span class="interval-dot" style={{ left: x(v) }} />}
    </span>
  );
}

/** A scale that holds all the intervals, with a little air. */
export function rangeOf(values: Interval[], extra: number[] = []): [number, number] {
  const all = [...values.flatMap((v) => [toNumber(v.value), toNumber(v.low ?? null), toNumber(v.high ?? null)]), ...extra].filter(Number.isFinite);
  if (!all.length) return [0, 1];
  const low = Math.min(...all);
  const high = Math.max(...all);
  const pad = (high - low || Math.abs(high) || 1) * 0.12;
  return [low - pad, high + pad];
}
