// The rollout's plan with the present step, and each guard with the numbers that decide.
import type { Rollout, State } from "../../api/types";
import { VersionChip } from "../../components/Chip";
import { Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { count, metric, percent, seconds, toNumber } from "../../lib/format";
import { rolloutState, rolloutWord } from "./serving";

const guardState: Record<Rollout["guards"][number]["verdict"], State> = { pass: "ok", fail: "bad", inconclusive: "idle" };
const guardWord: Record<Rollout["guards"][number]["verdict"], string> = { pass: "passes", fail: "fails", inconclusive: "needs more samples" };

function Progress({ name, at, of, show }: { name: string; at: number; of: number; show: (n: number) => string }) {
  if (!of) return null;
  return (
    <div class="progress">
      <span class="dim">{name}</span>
      <span class="progress-bar"><span style={{ width: `${Math.min(100, (at / of) * 100)}%` }} /></span>
      <span class="num">{show(Math.min(at, of))} of {show(of)}</span>
    </div>
  );
}

export function RolloutPlan({ rollout: r, model }: { rollout: Rollout; model: string }) {
  const open = r.state === "running" || r.state === "paused" || r.state === "waiting";
  return (
    <Section title={`Rollout: ${r.kind}`} note={<><StateMark state={rolloutState[r.state]} size={12} /> {rolloutWord[r.state]} <Time at={r.ended ?? r.started} /></>}>
      <p class="row" style={{ marginBottom: "12px" }}>{r.from !== undefined && <><VersionChip model={model} version={r.from} /> →</>} <VersionChip model={model} version={r.to} /> {r.why && <span class="dim">{r.why}</span>}</p>
      {r.steps.length > 0 && (
        <ol class="plan" aria-label="steps">
          {r.steps.map((s, i) => (
            <li key={i} class={i < r.step || r.state === "promoted" ? "plan-done" : i === r.step && open ? "plan-now" : ""} {...(i === r.step && open ? { "aria-current": "step" as const } : {})}>
              <b>{percent(s)}</b>
              <span class="dim">{i < r.step || r.state === "promoted" ? "done" : i === r.step ? (open ? "now" : "stopped here") : "to come"}</span>
            </li>
          ))}
        </ol>
      )}
      {open && (
        <div style={{ marginBottom: "12px" }}>
          <Progress name="requests" at={r.progress.requests} of={r.hold.requests} show={count} />
          <Progress name="time" at={r.progress.time_ms / 1000} of={r.hold.time_ms / 1000} show={seconds} />
        </div>
      )}
      {r.guards.length === 0 ? <p class="faint">No guards: the plan goes on by time and requests alone. <code>guard: [error_rate &lt;= 1%]</code></p> : (
        <ul class="guards">
          {r.guards.map((g) => (
            <li key={g.guard}>
              <StateMark state={guardState[g.verdict]} title={guardWord[g.verdict]} />
              <span><code>{g.guard}</code> <span class="small dim">{g.verdict === "inconclusive" ? `${count(g.samples)} of ${count(g.needed)} samples` : `${count(g.samples)} samples`}{g.why ? `; ${g.why}` : ""}</span></span>
              <span class="num">{Number.isFinite(toNumber(g.value)) ? metric(g.value) : <span class="faint">no data</span>} <span class="small dim">{Number.isFinite(toNumber(g.limit)) ? `limit ${metric(g.limit)}` : "relative limit"}</span></span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
