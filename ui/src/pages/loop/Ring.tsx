// The nine stages on a band that closes: what state each is in, its latest fact, its time. Arrows light up where something moves.
import type { LoopStage, StageName } from "../../api/types";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { hrefOf } from "../../lib/refs";
import "./Ring.css";

const place: Record<StageName, string> = { problem: "/govern", data: "/data", prepare: "/pipeline", build: "/runs", test: "/models", deploy: "/serving", monitor: "/monitor", feedback: "/monitor", retrain: "/pipeline" };

export function Ring({ stages }: { stages: LoopStage[] }) {
  return (
    <div class="ring" role="group" aria-label="the nine stages">
      <ol>
        {stages.map((s) => (
          <li key={s.name} class={`ring-stage ring-${s.state}`}>
            <a href={s.ref ? hrefOf(s.ref) : place[s.name]}>
              <span class="ring-node"><StateMark state={s.state} size={20} /></span>
              <span class="ring-name">{s.name}</span>
              <span class="ring-fact">{s.fact}</span>
              {s.detail && <span class="ring-detail">{s.detail}</span>}
              {s.time ? <span class="ring-time"><Time at={s.time} /></span> : null}
            </a>
          </li>
        ))}
      </ol>
      <div class={`ring-back${stages.some((s) => s.name === "retrain" && s.state === "busy") ? " ring-back-busy" : ""}`} aria-hidden="true">
        <svg viewBox="0 0 10 10"><path d="M1 9L5 2l4 7" /></svg>
        <span>and round again</span>
      </div>
    </div>
  );
}
