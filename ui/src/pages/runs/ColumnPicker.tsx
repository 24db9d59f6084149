// Which metrics and params are columns; kept in the address, so a link is a saved view.
import { Icon } from "../../components/Icon";

export function ColumnPicker({ metrics, params, chosen, onChange }: { metrics: string[]; params: string[]; chosen: string[]; onChange: (columns: string[]) => void }) {
  const box = (kind: "m" | "p", key: string) => {
    const name = `${kind}.${key}`;
    return (
      <label key={name} title={key}>
        <input type="checkbox" checked={chosen.includes(name)} onChange={() => onChange(chosen.includes(name) ? chosen.filter((c) => c !== name) : [...chosen, name])} />
        {key}
      </label>
    );
  };
  return (
    <details class="picker">
      <summary><Icon name="columns" size={14} /> Columns</summary>
      <div class="picker-box">
        <h3>Metrics</h3>
        {metrics.slice(0, 200).map((k) => box("m", k))}
        <h3>Params</h3>
        {params.slice(0, 200).map((k) => box("p", k))}
      </div>
    </details>
  );
}
