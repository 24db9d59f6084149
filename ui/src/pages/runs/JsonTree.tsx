// JSON as a tree; what is closed is not drawn.
import { useState } from "preact/hooks";
import type { Json } from "../../api/types";

const SHOWN = 200;

function Value({ value }: { value: Json }) {
  if (typeof value === "string") return <span class="hl-string">{JSON.stringify(value.length > 500 ? `${value.slice(0, 500)}…` : value)}</span>;
  return <span class={typeof value === "number" ? "hl-number" : "hl-word"}>{String(value)}</span>;
}

function Branch({ name, value, depth }: { name: string | undefined; value: Json; depth: number }) {
  const entries = value !== null && typeof value === "object" ? (Array.isArray(value) ? value.map((v, i): [string, Json] => [String(i), v]) : Object.entries(value)) : null;
  const [open, setOpen] = useState(depth < 1 || (entries !== null && entries.length <= 3 && depth < 3));
  const [most, setMost] = useState(SHOWN);
  const label = name === undefined ? null : <span class="hl-key">{name}</span>;
  if (!entries) return <li><span class="json-leaf">{label}{label && ": "}<Value value={value} /></span></li>;
  const flat = Array.isArray(value) && value.length <= 8 && value.every((v) => v === null || typeof v !== "object");
  if (flat) return <li><span class="json-leaf">{label}{label && ": "}[{(value as Json[]).map((v, i) => <span key={i}>{i > 0 && ", "}<Value value={v} /></span>)}]</span></li>;
  return (
    <li>
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>{label ?? <span class="dim">{Array.isArray(value) ? "list" : "object"}</span>} <span class="faint">{Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}</span></button>
      {open && (
        <ul>
          {entries.slice(0, most).map(([k, v]) => <Branch key={k} name={k} value={v} depth={depth + 1} />)}
          {entries.length > most && <li><button type="button" class="link" onClick={() => setMost(most * 5)}>{entries.length - most} more</button></li>}
        </ul>
      )}
    </li>
  );
}

export function JsonTree({ value }: { value: Json }) {
  return <ul class="json-tree"><Branch name={undefined} value={value} depth={0} /></ul>;
}
