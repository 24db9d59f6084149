// Gate results: a row of marks for tables, and the whole story for pages.
import type { Gate, State } from "../api/types";
import { metric, toNumber } from "../lib/format";
import { StateMark } from "./StateMark";
import "./Gates.css";

export const gateState = (g: Gate): State => (g.passed ? "ok" : g.warn ? "warn" : "bad");

export function GateMarks({ gates }: { gates: Gate[] }) {
  if (!gates.length) return <span class="faint">no gates</span>;
  const passed = gates.filter((g) => g.passed).length;
  return (
    <span class="gate-marks">
      {gates.map((g) => (
        <StateMark key={g.gate} state={gateState(g)} size={12} title={`${g.gate}: ${metric(g.value)}${g.passed ? "" : g.warn ? ", a warning" : ", failed"}`} />
      ))}
      <span class="dim"> {passed}/{gates.length}</span>
    </span>
  );
}

export function GateTable({ gates }: { gates: Gate[] }) {
  if (!gates.length) return <p class="faint">This version was made without gates: add <code>success:</code> to the problem in rondo.yaml.</p>;
  return (
    <ul class="gates">
      {gates.map((g) => {
        const value = toNumber(g.value);
        const limit = toNumber(g.limit);
        const gap = value - limit;
        return (
          <li key={g.gate}>
            <StateMark state={gateState(g)} title={g.passed ? "passed" : g.warn ? "warning" : "failed"} />
            <span class="gate-name">
              <code>{g.gate}</code>
              {g.warn && <span class="small dim"> warns only</span>}
              {!g.passed && g.why && <span class="gate-why dim">{g.why}</span>}
            </span>
            <span class="num">{metric(g.value)}</span>
            <span class="num dim small">limit {metric(g.limit)}</span>
            <span class={`num small ${g.passed ? "dim" : "bad"}`}>{Number.isFinite(gap) ? `${gap >= 0 ? "+" : "−"}${metric(Math.abs(gap))}` : ""}</span>
          </li>
        );
      })}
    </ul>
  );
}
