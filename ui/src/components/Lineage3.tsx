// Lineage in fixed columns: what it came from on the left, what came from it on the right. Never a hairball.
import type { Ref } from "../api/types";
import { Chip } from "./Chip";
import { Icon } from "./Icon";
import "./Lineage3.css";

export function Lineage3({ columns }: { columns: [string, Ref[]][] }) {
  return (
    <ol class="lin" style={{ "--n": columns.length }}>
      {columns.map(([title, refs], i) => (
        <li key={title}>
          <h3>{i > 0 && <Icon name="arrow" size={12} />} {title}</h3>
          {refs.length === 0 ? <p class="faint small">nothing yet</p> : refs.slice(0, 40).map((r) => <Chip key={`${r.kind} ${r.id}`} value={r} />)}
          {refs.length > 40 && <p class="small dim">and {refs.length - 40} more</p>}
        </li>
      ))}
    </ol>
  );
}
