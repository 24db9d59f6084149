// Columns × windows. Grey: not enough data; colour: size of the effect; a ring: an alarm. Arrow keys move, Enter opens.
import { count, metric, percent, toNumber } from "../lib/format";
import type { MonitorCell, MonitorColumn, MonitorWindow } from "../api/types";
import "./HeatMap.css";

/** 0 to 4 by effect against the alarm's limit: quarter, half, whole, double. */
export function level(psi: number, effect: number): number {
  if (!(psi > 0)) return 0;
  const r = psi / effect;
  return r < 0.25 ? 0 : r < 0.5 ? 1 : r < 1 ? 2 : r < 2 ? 3 : 4;
}
const word: Record<MonitorCell["verdict"], string> = { ok: "no drift", drift: "drift alarm", quality: "data quality alarm", few: "not enough data", none: "not counted" };

export function HeatMap({ columns, windows, effect, selected, onSelect }: { columns: MonitorColumn[]; windows: MonitorWindow[]; effect: number; selected?: { column: string; window: number } | undefined; onSelect: (column: string, window: number) => void }) {
  const key = (event: KeyboardEvent, row: number, col: number) => {
    const step: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const by = step[event.key];
    if (!by) return;
    event.preventDefault();
    const grid = (event.currentTarget as HTMLElement).closest("table");
    grid?.querySelector<HTMLElement>(`[data-at="${row + by[0]},${col + by[1]}"]`)?.focus();
  };
  return (
    <div class="heat-box" tabIndex={0} role="region" aria-label="heat map">
      <table class="heat">
        <thead>
          <tr>
            <th scope="col"><span class="hidden">column</span></th>
            {windows.map((w, i) => (
              <th key={w.index} scope="col" title={`window ${w.index}, ${count(w.rows)} rows`}>{windows.length <= 24 || i % 5 === 0 ? w.index : ""}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {columns.map((c, row) => (
            <tr key={c.name}>
              <th scope="row" class="clip" title={`${c.name} (${c.type})`}>{c.name}</th>
              {windows.map((w, col) => {
                const cell = c.windows.find((x) => x.index === w.index);
                const psi = toNumber(cell?.effect ?? cell?.psi);
                const grey = !cell || cell.verdict === "few" || cell.verdict === "none" || !Number.isFinite(psi);
                const alarm = cell?.verdict === "drift" || cell?.verdict === "quality";
                const on = selected?.column === c.name && selected.window === w.index;
                const text = cell ? `${c.name}, window ${w.index}: ${word[cell.verdict]}${Number.isFinite(psi) ? `, PSI ${psi.toFixed(2)}` : ""}, ${count(cell.rows)} rows${cell.nulls ? `, ${percent(cell.nulls, 1)} missing` : ""}` : `${c.name}, window ${w.index}: no data`;
                return (
                  <td key={w.index}>
                    <button type="button" data-at={`${row},${col}`} tabIndex={on || (!selected && row === 0 && col === windows.length - 1) ? 0 : -1} class={`heat-cell ${grey ? "heat-grey" : `heat-${level(psi, effect)}`}${alarm ? " heat-alarm" : ""}${on ? " heat-on" : ""}`} title={text} aria-label={text} aria-pressed={on}
                      onClick={() => onSelect(c.name, w.index)} onKeyDown={(e) => key(e, row, col)}>
                      {!grey && windows.length <= 16 ? psi.toFixed(2) : ""}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function HeatKey({ effect }: { effect: number }) {
  const edges = [0, effect / 4, effect / 2, effect, effect * 2];
  return (
    <p class="heat-key small dim">
      <span class="heat-swatch heat-grey" /> not enough data
      {edges.map((e, i) => (
        <span key={i}><span class={`heat-swatch heat-${i}`} /> {i === 0 ? `PSI < ${metric(edges[1] as number, 2)}` : `≥ ${metric(e, 2)}`}</span>
      ))}
      <span><span class="heat-swatch heat-alarm heat-2" /> alarm</span>
    </p>
  );
}
