// Who was champion when: a band per alias over time.
import type { AliasChange } from "../api/types";
import { versionColour } from "../lib/colour";
import { dateTime, shortTime } from "../lib/format";
import { navigate } from "../lib/router";
import "./AliasBand.css";

export function AliasBand({ model, history, now = Date.now() }: { model: string; history: AliasChange[]; now?: number }) {
  if (!history.length) return <p class="faint">No alias has been set yet.</p>;
  const sorted = [...history].sort((a, b) => a.time - b.time);
  const start = (sorted[0] as AliasChange).time;
  const span = Math.max(1, now - start);
  const x = (t: number) => ((t - start) / span) * 100;
  const aliases = [...new Set(sorted.map((c) => c.alias))];
  return (
    <div class="band">
      {aliases.map((alias) => {
        const changes = sorted.filter((c) => c.alias === alias);
        return (
          <div key={alias} class="band-row">
            <span class="band-name">@{alias}</span>
            <div class="band-track">
              {changes.map((c, i) => {
                const end = changes[i + 1]?.time ?? now;
                if (c.to === undefined) return null;
                const w = x(end) - x(c.time);
                const text = `@${alias} was v${c.to} from ${dateTime(c.time)} ${changes[i + 1] ? `to ${dateTime(end)}` : "until now"}; ${c.actor}${c.reason ? `: ${c.reason}` : ""}`;
                return (
                  <button key={c.time} type="button" class="band-part" title={text} aria-label={text} style={{ left: `${x(c.time)}%`, width: `max(3px, calc(${w}% - 1px))`, background: versionColour(model, c.to) }} onClick={() => navigate(`/models/${encodeURIComponent(model)}/${c.to}`)}>
                    {w > 5 ? `v${c.to}` : ""}
                  </button>
                );
              })}
            </div>
          </div>
        );
      })}
      <div class="band-row band-axis small dim" aria-hidden="true">
        <span />
        <div><span>{shortTime(start)}</span><span>now</span></div>
      </div>
    </div>
  );
}
