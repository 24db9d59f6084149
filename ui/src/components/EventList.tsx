// What happened: one line an event. Who or what, did what, to what, why.
import type { ComponentChildren } from "preact";
import type { HistoryEvent } from "../api/types";
import { Actor, Chip } from "./Chip";
import { Time } from "./Time";
import "./EventList.css";

const verbs: Record<string, string> = {
  "alias.set": "moved", "alias.delete": "removed an alias of", "run.start": "started", "run.end": "finished", "version.create": "registered", "rollout.start": "began a rollout of",
  "rollout.advance": "advanced", "rollout.promote": "promoted", "rollout.abort": "aborted", "rollout.rollback": "rolled back", "rollout.pause": "paused", "rollout.resume": "resumed",
  "approval.add": "decided on", "version.approved": "approved", "version.rejected": "rejected", "run.request": "asked for", "labels.add": "brought labels for", "alarm.acknowledge": "has seen", "alarm.raise": "raised", "dataset.add": "ingested", "endpoint.create": "created",
};
/** "set @champion to"; the object of an alias move names the alias. */
export function verbOf(action: string, object = ""): string {
  const alias = /@([\w.-]+)$/.exec(object)?.[1];
  if (alias && action === "alias.set") return `set @${alias} to`;
  return verbs[action] ?? action.replace(/[._]/g, " ");
}

/** Ids inside a sentence become links; the sentence stays readable. */
export function Words({ text }: { text: string }) {
  const parts: ComponentChildren[] = [];
  let last = 0;
  for (const m of text.matchAll(/(pipeline run )?\b([0-9a-f]{32,64})\b/g)) {
    parts.push(text.slice(last, m.index));
    parts.push(m[1] ? <Chip value={{ kind: "pipeline_run", id: m[2] as string }} /> : <code title={m[2]}>{(m[2] as string).slice(0, 8)}</code>);
    last = m.index + m[0].length;
  }
  parts.push(text.slice(last));
  return <>{parts}</>;
}

export function EventList({ events }: { events: HistoryEvent[] }) {
  if (!events.length) return <p class="faint">Nothing has happened yet.</p>;
  return (
    <ol class="events">
      {events.map((e) => (
        <li key={e.seq}>
          <span class="events-time small dim"><Time at={e.time} /></span>
          <span class="events-text">
            <Actor name={e.actor} /> {verbOf(e.action, e.object)} {e.ref ? <Chip value={e.ref} /> : <span class="mono">{e.object}</span>}
            {e.reason && <span class="dim"> · <Words text={e.reason} /></span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
