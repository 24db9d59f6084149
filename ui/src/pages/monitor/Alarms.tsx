// Alarms, newest first: what fired, on how much data, and what happened next.
import { api, post, seg } from "../../api/client";
import type { Alarm, State } from "../../api/types";
import { Button } from "../../components/Button";
import { Chip, Chips, VersionChip } from "../../components/Chip";
import { Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { count, list } from "../../lib/format";

const stateOf = (a: Alarm): State => (a.state === "acknowledged" ? "idle" : a.kind === "performance" || a.kind === "concept" ? "bad" : "warn");
const words: Record<Alarm["kind"], string> = { drift: "data drift", quality: "data quality", performance: "performance", concept: "concept drift", label_shift: "label shift" };

export function Alarms({ alarms }: { alarms: Alarm[] }) {
  return (
    <Section title="Alarms" note={alarms.length ? String(alarms.length) : undefined}>
      {alarms.length === 0 ? <p class="faint">None so far.</p> : (
        <ul>
          {alarms.map((a) => (
            <li key={a.id} class="alarm" id={`alarm-${a.id}`}>
              <StateMark state={stateOf(a)} title={a.state || "open"} />
              <div class="stack" style={{ gap: "3px" }}>
                <p><b>{words[a.kind] ?? a.kind}</b>{a.columns.length > 0 && <> in {list(a.columns, 5)}</>} <span class="dim">window {a.window}, {count(a.rows_seen)} rows seen{a.repeats ? `, again ${a.repeats === 1 ? "once" : `${a.repeats} times`} since` : ""}</span></p>
                {a.summary && <p class="small">{a.summary}</p>}
                <p class="row small"><Chip value={{ kind: "alarm", id: a.id }} /> {a.version > 0 && <VersionChip model={a.model ?? a.endpoint} version={a.version} />} {a.caused && a.caused.length > 0 && <><span class="dim">then</span> <Chips items={a.caused} /></>}</p>
                <details><summary>evidence</summary><pre tabIndex={0}>{JSON.stringify(a.evidence, null, 2)}</pre></details>
              </div>
              <span class="small dim alarm-end"><Time at={a.time} />{a.state === "open" && <Button onClick={() => void post(api(`/alarms/${seg(a.id)}/acknowledge`))}>Seen</Button>}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
