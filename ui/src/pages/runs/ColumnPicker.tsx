// Which metrics, params and tags are columns, and in which order; kept in the address, so a link is a view.
import { useState } from "preact/hooks";
import { Icon } from "../../components/Icon";

const SHOWN = 150;
const kinds = [["m", "Metrics"], ["p", "Params"], ["t", "Tags"]] as const;

export function ColumnPicker({ keys, chosen, onChange }: { keys: { metrics: string[]; params: string[]; tags: string[] }; chosen: string[]; onChange: (columns: string[]) => void }) {
  const [find, setFind] = useState("");
  const all = { m: keys.metrics, p: keys.params, t: keys.tags };
  const fits = (k: string) => k.toLowerCase().includes(find.toLowerCase());
  const toggle = (name: string) => onChange(chosen.includes(name) ? chosen.filter((c) => c !== name) : [...chosen, name]);
  const shift = (at: number, by: number) => {
    const next = [...chosen];
    const [one] = next.splice(at, 1);
    next.splice(at + by, 0, one as string);
    onChange(next);
  };
  return (
    <details class="picker">
      <summary><Icon name="columns" size={14} /> Columns <span class="faint">{chosen.length}</span></summary>
      <div class="picker-box">
        <div class="picker-find row">
          <input class="input" type="search" aria-label="find a column" placeholder="find a column" value={find} onInput={(e) => setFind(e.currentTarget.value)} />
          <button type="button" class="link" onClick={() => onChange([])}>default</button>
        </div>
        {chosen.length > 0 && !find && (
          <ol class="picker-chosen" aria-label="chosen columns">
            {chosen.map((c, i) => (
              <li key={c}>
                <span class="clip" title={c.slice(2)}>{c.slice(2)}</span>
                <button type="button" disabled={i === 0} onClick={() => shift(i, -1)} aria-label={`${c.slice(2)} to the left`}>←</button>
                <button type="button" disabled={i === chosen.length - 1} onClick={() => shift(i, 1)} aria-label={`${c.slice(2)} to the right`}>→</button>
                <button type="button" onClick={() => toggle(c)} aria-label={`no column ${c.slice(2)}`}>×</button>
              </li>
            ))}
          </ol>
        )}
        {kinds.map(([kind, title]) => {
          const hits = all[kind].filter(fits);
          if (!hits.length) return null;
          return (
            <fieldset key={kind}>
              <legend>{title} {hits.length > SHOWN && <span class="faint">the first {SHOWN} of {hits.length}</span>}</legend>
              {hits.slice(0, SHOWN).map((k) => (
                <label key={k} title={k}>
                  <input type="checkbox" checked={chosen.includes(`${kind}.${k}`)} onChange={() => toggle(`${kind}.${k}`)} />
                  <span class="clip">{k}</span>
                </label>
              ))}
            </fieldset>
          );
        })}
      </div>
    </details>
  );
}
