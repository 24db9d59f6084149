// A table for many rows and many columns: only what is on the screen exists. Keys: j k Enter x.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../lib/keys";
import { navigate } from "../lib/router";
import "./Table.css";
import "./Grid.css";

export interface GridColumn<T> {
  key: string;
  title: string;
  /** In pixels. */
  width: number;
  num?: boolean;
  /** Stays in sight; such columns come first. */
  fixed?: boolean;
  sortable?: boolean;
  cell: (row: T) => ComponentChildren;
}
/** A row, or a line over the rows that follow. */
export type GridItem<T> = { row: T; id: string; href?: string; marked?: boolean } | { head: ComponentChildren; id: string };

export interface GridProps<T> {
  label: string;
  items: GridItem<T>[];
  columns: GridColumn<T>[];
  sort?: { key: string; down: boolean };
  onSort?: (key: string) => void;
  selected: Set<string>;
  /** `range`: with the shift key; everything from the last one. */
  onSelect?: (ids: string[], on: boolean) => void;
  keys?: Record<string, (id: string) => void>;
  onEnd?: () => void;
}

const ROW = 32;
const HEAD = 28;
const SPARE = 6;
const PICK = 30;

export function Grid<T>(props: GridProps<T>) {
  const { items, columns, selected, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(() => Math.max(320, innerHeight - 240));
  const [view, setView] = useState({ from: 0, to: Math.ceil(height / ROW) + SPARE, left: 0, right: innerWidth });
  const [cursor, setCursor] = useState(-1);
  const last = useRef(-1);

  const fixed = columns.filter((c) => c.fixed);
  const rest = columns.filter((c) => !c.fixed);
  const pick = onSelect ? PICK : 0;
  const fixedWidth = fixed.reduce((n, c) => n + c.width, pick);
  const ends: number[] = [];
  for (const c of rest) ends.push((ends[ends.length - 1] ?? 0) + c.width);
  const restWidth = ends[ends.length - 1] ?? 0;

  const measure = () => {
    const el = box.current;
    if (!el) return;
    const from = Math.max(0, Math.floor(el.scrollTop / ROW) - SPARE);
    const to = Math.ceil((el.scrollTop + el.clientHeight) / ROW) + SPARE;
    // In steps of 100 pixels, so that sideways scrolling doesn't draw at each pixel.
    const left = Math.floor(el.scrollLeft / 100) * 100;
    const right = Math.ceil((el.scrollLeft + el.clientWidth) / 100) * 100;
    setView((v) => (v.from === from && v.to === to && v.left === left && v.right === right ? v : { from, to, left, right }));
    if (props.onEnd && el.scrollTop + el.clientHeight > el.scrollHeight - 20 * ROW) props.onEnd();
  };
  useLayoutEffect(() => {
    const fit = () => {
      const el = box.current;
      if (!el) return;
      setHeight(Math.max(320, innerHeight - el.getBoundingClientRect().top - scrollY - 40));
      measure();
    };
    fit();
    addEventListener("resize", fit);
    return () => removeEventListener("resize", fit);
  }, []);
  useEffect(measure, [items.length, height, restWidth]);

  const at = () => {
    const item = items[cursor];
    return item && "row" in item ? item : undefined;
  };
  const move = (by: number) => {
    let next = cursor + by;
    while (items[next] && !("row" in (items[next] as object))) next += by;
    next = Math.max(0, Math.min(items.length - 1, next));
    setCursor(next);
    const el = box.current;
    if (!el) return;
    const y = next * ROW;
    if (y < el.scrollTop) el.scrollTop = y;
    else if (y + 2 * ROW + HEAD > el.scrollTop + el.clientHeight) el.scrollTop = y + 2 * ROW + HEAD - el.clientHeight;
  };
  const select = (index: number, range: boolean) => {
    const item = items[index];
    if (!item || !("row" in item) || !onSelect) return;
    const on = !selected.has(item.id);
    const [a, b] = range && last.current >= 0 ? [Math.min(last.current, index), Math.max(last.current, index)] : [index, index];
    onSelect(items.slice(a, b + 1).flatMap((i) => ("row" in i ? [i.id] : [])), on);
    last.current = index;
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: () => select(cursor, false),
    X: () => select(cursor, true),
    Enter: (e: KeyboardEvent) => {
      const item = at();
      if (item?.href && !(e.target instanceof HTMLAnchorElement || e.target instanceof HTMLButtonElement)) navigate(item.href);
    },
    ...Object.fromEntries(Object.entries(props.keys ?? {}).map(([key, act]) => [key, () => {
      const item = at();
      if (item) act(item.id);
    }])),
  });

  const from = Math.min(view.from, Math.max(0, items.length - 1));
  const to = Math.min(view.to, items.length);
  // Columns in sight, right of the fixed ones.
  let first = 0;
  while (first < rest.length && (ends[first] as number) < view.left) first++;
  let end = first;
  while (end < rest.length && (end === 0 ? 0 : (ends[end - 1] as number)) < view.right - fixedWidth + 100) end++;
  const shown = rest.slice(first, end);
  const before = first > 0 ? (ends[first - 1] as number) : 0;
  const after = restWidth - (end > 0 ? (ends[end - 1] as number) : 0);
  const cells = fixed.length + shown.length + (pick ? 1 : 0) + (before ? 1 : 0) + 1;
  const stick = fixed.map((_c, i) => pick + fixed.slice(0, i).reduce((n, c) => n + c.width, 0));
  const index = (c: GridColumn<T>) => columns.indexOf(c) + 1 + (pick ? 1 : 0);

  const header = (c: GridColumn<T>, left?: number) => {
    const sorted = props.sort?.key === c.key;
    return (
      <th key={c.key} scope="col" aria-colindex={index(c)} class={`${c.num ? "num" : ""}${left === undefined ? "" : " grid-fixed"}`} style={{ width: `${c.width}px`, ...(left === undefined ? {} : { left: `${left}px` }) }} title={c.title} {...(sorted ? { "aria-sort": props.sort?.down ? "descending" as const : "ascending" as const } : {})}>
        {c.sortable && props.onSort ? (
          <button type="button" class="clip" onClick={() => props.onSort?.(c.key)}>
            <span class="clip">{c.title}</span>
            <span class="table-arrow" aria-hidden="true">{sorted ? (props.sort?.down ? "↓" : "↑") : ""}</span>
          </button>
        ) : c.title}
      </th>
    );
  };
  return (
    <div ref={box} class="table-box grid" style={{ height: `${Math.min(height, items.length * ROW + HEAD + 16)}px` }} onScroll={measure} tabIndex={0} role="region" aria-label={`table of ${props.label}`}>
      <table class="table" style={{ width: `${fixedWidth + restWidth}px` }} aria-rowcount={items.length + 1} aria-colcount={columns.length + (pick ? 1 : 0)}>
        <thead>
          <tr aria-rowindex={1}>
            {pick > 0 && <th class="table-pick grid-fixed" style={{ width: `${pick}px`, left: 0 }} aria-colindex={1}><span class="hidden">select</span></th>}
            {fixed.map((c, i) => header(c, stick[i]))}
            {before > 0 && <td aria-hidden="true" style={{ width: `${before}px` }} />}
            {shown.map((c) => header(c))}
            <td aria-hidden="true" style={{ width: `${after}px` }} />
          </tr>
        </thead>
        <tbody>
          {from > 0 && <tr aria-hidden="true" style={{ height: `${from * ROW}px` }}><td colSpan={cells} /></tr>}
          {items.slice(from, to).map((item, i) => {
            const n = from + i;
            if (!("row" in item)) return <tr key={item.id} class="grid-head" aria-rowindex={n + 2}><td colSpan={cells}><div class="grid-head-text">{item.head}</div></td></tr>;
            const { row, id, href } = item;
            const on = selected.has(id);
            return (
              <tr key={id} aria-rowindex={n + 2} class={`table-link${on ? " table-on" : ""}${n === cursor ? " table-cursor" : ""}${item.marked ? " table-marked" : ""}`}
                onClick={(e) => {
                  setCursor(n);
                  if (href && !(e.target as Element).closest("a,button,input,label") && !getSelection()?.toString()) navigate(href);
                }}>
                {pick > 0 && <td class="table-pick grid-fixed" style={{ left: 0 }}><input type="checkbox" checked={on} aria-label={`select ${id}`} onClick={(e) => select(n, e.shiftKey)} /></td>}
                {fixed.map((c, k) => <td key={c.key} class={`grid-fixed${c.num ? " num" : ""}`} style={{ left: `${stick[k]}px` }}>{c.cell(row)}</td>)}
                {before > 0 && <td aria-hidden="true" />}
                {shown.map((c) => <td key={c.key} class={c.num ? "num" : ""}>{c.cell(row)}</td>)}
                <td aria-hidden="true" />
              </tr>
            );
          })}
          {to < items.length && <tr aria-hidden="true" style={{ height: `${(items.length - to) * ROW}px` }}><td colSpan={cells} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
