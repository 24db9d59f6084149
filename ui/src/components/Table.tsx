// Tables: sortable, keyboard (j k Enter x), and virtual: only the rows on the screen exist.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../lib/keys";
import { navigate } from "../lib/router";
import "./Table.css";

export interface Column<T> {
  key: string;
  title: ComponentChildren;
  /** The unit, dimmed, in the header. */
  unit?: string;
  num?: boolean;
  grow?: boolean;
  width?: number;
  sortable?: boolean;
  cell: (row: T, index: number) => ComponentChildren;
}
export interface TableProps<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  id: (row: T) => string;
  href?: (row: T) => string | undefined;
  sort?: { key: string; down: boolean };
  onSort?: (key: string) => void;
  selected?: string[];
  onSelect?: (id: string) => void;
  /** Own scroll area that fills what is left of the window; rows are virtual. */
  fill?: boolean;
  onEnd?: () => void;
  keys?: boolean;
  marked?: (row: T) => boolean;
}

const ROW = 32;
const SPARE = 12;

export function Table<T>(props: TableProps<T>) {
  const { rows, columns, id, href, selected, onSelect, fill, onEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ from: 0, to: 60 });
  const [height, setHeight] = useState<number>();
  const [cursor, setCursor] = useState(-1);

  const measure = () => {
    const el = box.current;
    if (!el || !fill) return;
    const from = Math.max(0, Math.floor(el.scrollTop / ROW) - SPARE);
    const to = Math.ceil((el.scrollTop + el.clientHeight) / ROW) + SPARE;
    setView((v) => (v.from === from && v.to === to ? v : { from, to }));
    if (onEnd && el.scrollTop + el.clientHeight > el.scrollHeight - 20 * ROW) onEnd();
  };
  useLayoutEffect(() => {
    if (!fill) return;
    const fit = () => {
      const el = box.current;
      if (!el) return;
      const top = el.getBoundingClientRect().top + scrollY;
      setHeight(Math.max(320, innerHeight - top - 52));
      measure();
    };
    fit();
    addEventListener("resize", fit);
    return () => removeEventListener("resize", fit);
  }, [fill]);
  useEffect(measure, [rows.length, height]);

  const move = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, cursor + by));
    setCursor(next);
    const el = box.current;
    if (el && fill) {
      const y = next * ROW;
      if (y < el.scrollTop) el.scrollTop = y;
      else if (y + 3 * ROW > el.scrollTop + el.clientHeight) el.scrollTop = y + 3 * ROW - el.clientHeight;
    } else el?.querySelectorAll("tbody tr")[next]?.scrollIntoView({ block: "nearest" });
  };
  const at = () => rows[cursor];
  useKeys(
    props.keys === false
      ? {}
      : {
          j: () => move(1),
          k: () => move(-1),
          ...(href ? { Enter: (e: KeyboardEvent) => {
            const row = at();
            const to = row && !(e.target instanceof HTMLAnchorElement || e.target instanceof HTMLButtonElement) ? href(row) : undefined;
            if (to) navigate(to);
          } } : {}),
          ...(onSelect ? { x: () => {
            const row = at();
            if (row) onSelect(id(row));
          } } : {}),
        },
  );

  const from = fill ? Math.min(view.from, Math.max(0, rows.length - 1)) : 0;
  const to = fill ? Math.min(view.to, rows.length) : rows.length;
  const span = columns.length + (onSelect ? 1 : 0);
  return (
    <div ref={box} class={`table-box${fill ? " table-fill" : ""}`} style={fill && height ? { maxHeight: `${height}px` } : {}} onScroll={measure} tabIndex={0} role="region" aria-label={`table of ${props.label}`}>
      <table class="table" aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {onSelect && <th class="table-pick"><span class="hidden">select</span></th>}
            {columns.map((c) => {
              const sorted = props.sort?.key === c.key;
              const name = (
                <>
                  {c.title}
                  {c.unit && <span class="table-unit"> {c.unit}</span>}
                </>
              );
              return (
                <th key={c.key} scope="col" class={`${c.num ? "num" : ""}${c.grow ? " table-grow" : ""}`} style={c.width ? { width: `${c.width}px` } : {}} {...(sorted ? { "aria-sort": props.sort?.down ? "descending" as const : "ascending" as const } : {})}>
                  {c.sortable && props.onSort ? (
                    <button type="button" onClick={() => props.onSort?.(c.key)}>
                      {name}
                      <span class="table-arrow" aria-hidden="true">{sorted ? (props.sort?.down ? "↓" : "↑") : ""}</span>
                    </button>
                  ) : (
                    name
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <tr aria-hidden="true" style={{ height: `${from * ROW}px` }}><td colSpan={span} /></tr>}
          {rows.slice(from, to).map((row, i) => {
            const key = id(row);
            const on = selected?.includes(key) ?? false;
            const link = href?.(row);
            return (
              <tr key={key} aria-rowindex={from + i + 2} class={`${on ? "table-on" : ""}${from + i === cursor ? " table-cursor" : ""}${props.marked?.(row) ? " table-marked" : ""}${link ? " table-link" : ""}`}
                onClick={(e) => {
                  setCursor(from + i);
                  if (link && !(e.target as Element).closest("a,button,input,label") && !getSelection()?.toString()) navigate(link);
                }}>
                {onSelect && (
                  <td class="table-pick">
                    <input type="checkbox" checked={on} aria-label={`select ${key}`} onChange={() => onSelect(key)} />
                  </td>
                )}
                {columns.map((c) => (
                  <td key={c.key} class={`${c.num ? "num" : ""}${c.grow ? " table-grow" : ""}`}>{c.cell(row, from + i)}</td>
                ))}
              </tr>
            );
          })}
          {to < rows.length && <tr aria-hidden="true" style={{ height: `${(rows.length - to) * ROW}px` }}><td colSpan={span} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
