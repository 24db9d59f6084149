// What an evaluation stores in metrics.json (docs/formats) and what follows from it at a threshold.
import { useEffect, useState } from "preact/hooks";
import { api, seg } from "../../api/client";
import type { Artifact } from "../../api/types";

export interface Evaluation {
  task: string;
  threshold?: number;
  classes?: string[];
  confusion?: { labels: string[]; matrix: number[][] };
  /** (false positive rate, recall) */
  roc?: [number, number][];
  /** (recall, precision) */
  pr?: [number, number][];
  /** From the highest threshold to the lowest. */
  threshold_curve?: { threshold: number; precision: number; recall: number; f1: number; selected: number }[];
}

/** metrics.json of each run that has one; read once, files of a run don't change. */
const kept = new Map<string, Promise<Evaluation | null>>();
function read(run: string): Promise<Evaluation | null> {
  let found = kept.get(run);
  if (!found) {
    // Asked for in the list first: most runs of other tools have none.
    found = fetch(api(`/runs/${seg(run)}/artifacts`))
      .then((r) => (r.ok ? (r.json() as Promise<Artifact[]>) : []))
      .then((files) => (files.some((f) => f.path === "metrics.json") ? fetch(api(`/runs/${seg(run)}/files/metrics.json`)).then((r) => (r.ok ? (r.json() as Promise<Evaluation>) : null)) : null))
      .catch(() => null);
    kept.set(run, found);
  }
  return found;
}

export function useEvaluations(runs: string[]): Map<string, Evaluation> {
  const [got, setGot] = useState(new Map<string, Evaluation>());
  const key = runs.join(",");
  useEffect(() => {
    let gone = false;
    void Promise.all(runs.map(read)).then((all) => {
      if (gone) return;
      const next = new Map<string, Evaluation>();
      all.forEach((e, i) => e && typeof e === "object" && typeof e.task === "string" && next.set(runs[i] as string, e));
      setGot(next);
    });
    return () => {
      gone = true;
    };
  }, [key]);
  return got;
}

export interface AtThreshold {
  threshold: number;
  tp: number;
  fp: number;
  fn: number;
  tn: number;
  precision: number;
  recall: number;
  f1: number;
  selected: number;
}

/** Rows of the test part and how many of them are positive. */
export function sizes(e: Evaluation): { rows: number; positive: number } | null {
  const m = e.confusion?.matrix;
  if (!m || m.length !== 2) return null;
  const [negative = 0, positive = 0] = m.map((row) => row.reduce((a, b) => a + b, 0));
  return { rows: negative + positive, positive };
}

export function curveOf(e: Evaluation): AtThreshold[] {
  const size = sizes(e);
  if (!size || !e.threshold_curve) return [];
  const m = e.confusion?.matrix as [[number, number], [number, number]];
  const f = (tp: number, fp: number, fn: number) => ({ precision: tp / (tp + fp || 1), recall: tp / (tp + fn || 1), f1: (2 * tp) / (2 * tp + fp + fn || 1), selected: (tp + fp) / size.rows });
  // The model's own threshold is known exactly; the others are a hundred points of the curve.
  const own = e.threshold === undefined ? [] : [{ threshold: e.threshold, tp: m[1][1], fp: m[0][1], fn: m[1][0], tn: m[0][0], ...f(m[1][1], m[0][1], m[1][0]) }];
  return [...own, ...e.threshold_curve.map((p) => {
    const tp = Math.round(p.recall * size.positive);
    const fp = Math.max(0, Math.round(p.selected * size.rows) - tp);
    return { ...p, tp, fp, fn: size.positive - tp, tn: size.rows - size.positive - fp };
  })].sort((a, b) => a.threshold - b.threshold);
}

/** A row is positive from its threshold on, so the point that holds is the first at or above. */
export function at(curve: AtThreshold[], threshold: number): AtThreshold | undefined {
  return curve.find((p) => p.threshold >= threshold) ?? curve[curve.length - 1];
}
export const costOf = (p: AtThreshold, falseAlarm: number, miss: number) => ((p.fp * falseAlarm + p.fn * miss) / Math.max(1, p.tp + p.fp + p.fn + p.tn)) * 1000;
