// What happened: one line an event. Who or what, did what, to what, why.
import type { HistoryEvent } from "../api/types";
import { Actor, Chip } from "./Chip";
import { Time } from "./Time";
import "./EventList.css";

const verbs: Record<string, string> = {
  "alias.set": "moved", "alias.delete": "removed an alias of", "run.start": "started", "run.end": "finished", "version.create": "registered", "rollout.start": "began a rollout of",
  "rollout.advance": "advanced", "rollout.promote": "promoted", "rollout.abort": "aborted", "rollout.rollback": "rolled back", "rollout.pause": "paused", "rollout.resume": "resumed",
  "approval.add": "decided on", "alarm.raise": "raised", "dataset.add": "ingested", "endpoint.create": "created",
};
export const verbOf = (action: string) => verbs[action] ?? action.replace(/[._]/g, " ");

export function EventList({ events }: { events: HistoryEvent[] }) {
  if (!events.length) return <p class="faint">Nothing has happened yet.</p>;
  return (
    <ol class="events">
      {events.map((e) => (
        <li key={e.seq}>
          <span class="events-time small dim"><Time at={e.time} /></span>
          <span class="events-text">
            <Actor name={e.actor} /> {verbOf(e.action)} {e.ref ? <Chip value={e.ref} /> : <span class="mono">{e.object}</span>}
            {e.reason && <span class="dim"> · {e.reason}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
