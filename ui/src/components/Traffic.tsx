// Who gets the traffic: one bar, a part per variant, the version's own colour.
import type { Variant } from "../api/types";
import { percent } from "../lib/format";
import { versionColour } from "../lib/colour";
import "./Traffic.css";

export function TrafficBar({ variants, thin }: { variants: Variant[]; thin?: boolean }) {
  const live = variants.filter((v) => v.weight > 0);
  const text = live.map((v) => `${percent(v.weight)} version ${v.version}`).join(", ") || "no traffic";
  return (
    <div class={`traffic${thin ? " traffic-thin" : ""}`} role="img" aria-label={text} title={text}>
      {live.map((v) => (
        <span key={`${v.role}${v.version}`} style={{ width: `${v.weight * 100}%`, background: versionColour(v.model, v.version) }}>
          {!thin && v.weight >= 0.08 ? <b>v{v.version}</b> : null}
        </span>
      ))}
    </div>
  );
}
