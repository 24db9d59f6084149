// Before and after, key by key: only what changed.
import type { Json } from "../../api/types";

export function flatten(x: Json, path = "", out: Map<string, string> = new Map()): Map<string, string> {
  if (x !== null && typeof x === "object") {
    const items = Array.isArray(x) ? x.map((v, i): [string, Json] => [String(i), v]) : Object.entries(x);
    for (const [k, v] of items) flatten(v, path ? `${path}.${k}` : k, out);
  } else if (path || x !== null) out.set(path || "value", x === null ? "null" : String(x));
  return out;
}

export function Diff({ before, after }: { before: Json; after: Json }) {
  const a = flatten(before);
  const b = flatten(after);
  const keys = [...new Set([...a.keys(), ...b.keys()])].filter((k) => a.get(k) !== b.get(k));
  if (!keys.length) return <p class="faint small">No state was changed.</p>;
  return (
    <table class="why">
      <thead><tr><th scope="col">what</th><th scope="col">before</th><th scope="col">after</th></tr></thead>
      <tbody>
        {keys.slice(0, 200).map((k) => (
          <tr key={k}><td><code>{k}</code></td><td class="mono diff-old">{a.get(k) ?? "–"}</td><td class="mono diff-new">{b.get(k) ?? "–"}</td></tr>
        ))}
      </tbody>
    </table>
  );
}
