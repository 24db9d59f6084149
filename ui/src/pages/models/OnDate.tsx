// "What was production on 3 March?": the aliases at any moment, from their history.
import type { AliasChange } from "../../api/types";
import { VersionChip } from "../../components/Chip";
import { dateTime } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";

export interface Held {
  alias: string;
  change: AliasChange;
}

/** The last move of each alias at or before `time`. */
export function aliasesAt(history: AliasChange[], time: number): Held[] {
  const held = new Map<string, AliasChange>();
  for (const c of [...history].sort((a, b) => a.time - b.time)) if (c.time <= time) held.set(c.alias, c);
  return [...held].map(([alias, change]) => ({ alias, change })).sort((a, b) => a.alias.localeCompare(b.alias));
}

export function OnDate({ model, history }: { model: string; history: AliasChange[] }) {
  const text = arg("on");
  // A date alone means its end: what was live on that day.
  const time = text ? new Date(text.length <= 10 ? `${text}T23:59:59.999` : text).getTime() : NaN;
  const held = Number.isFinite(time) ? aliasesAt(history, time).filter((h) => h.change.to !== undefined) : [];
  return (
    <span class="on-date">
      {Number.isFinite(time) && (
        <span role="status">
          {held.length === 0 ? <span class="dim">no alias was set then</span> : held.map((h) => (
            <span key={h.alias} class="on-date-one" title={`since ${dateTime(h.change.time)}, by ${h.change.actor}${h.change.reason ? `: ${h.change.reason}` : ""}`}><code>@{h.alias}</code> was <VersionChip model={model} version={h.change.to as number} /></span>
          ))}
        </span>
      )}
      <label class="small dim">on <input class="input" type="date" value={text.slice(0, 10)} onChange={(e) => setQuery({ on: e.currentTarget.value || null })} /></label>
    </span>
  );
}
