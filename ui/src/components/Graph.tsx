// A small directed graph in columns by depth: pipelines and lineage. Plain layout, no library: edges only go to the right.
import type { ComponentChildren } from "preact";
import "./Graph.css";

export interface GraphNode {
  id: string;
  deps: string[];
}

/** Column of each node: one past its deepest dependency. */
export function depths(nodes: GraphNode[]): Map<string, number> {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const out = new Map<string, number>();
  const visit = (id: string, path: Set<string>): number => {
    const known = out.get(id);
    if (known !== undefined) return known;
    if (path.has(id)) return 0; // a cycle can't be drawn as one; the engine refuses it anyway
    path.add(id);
    const deps = (byId.get(id)?.deps ?? []).filter((d) => byId.has(d));
    const depth = deps.length ? Math.max(...deps.map((d) => visit(d, path))) + 1 : 0;
    path.delete(id);
    out.set(id, depth);
    return depth;
  };
  for (const n of nodes) visit(n.id, new Set());
  return out;
}

/** Edges that a longer path already says are left out. */
export function reduced(nodes: GraphNode[]): [string, string][] {
  const deps = new Map(nodes.map((n) => [n.id, n.deps.filter((d) => nodes.some((m) => m.id === d))]));
  const reaches = (from: string, to: string, seen: Set<string>): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (deps.get(from) ?? []).some((d) => reaches(d, to, seen));
  };
  return nodes.flatMap((n) => {
    const mine = deps.get(n.id) ?? [];
    return mine.filter((d) => !mine.some((other) => other !== d && reaches(other, d, new Set()))).map((d): [string, string] => [d, n.id]);
  });
}

const W = 126;
const H = 52;
const GX = 24;
const GY = 14;

export function Graph({ nodes, render, label }: { nodes: GraphNode[]; render: (id: string) => ComponentChildren; label: string }) {
  const depth = depths(nodes);
  const columns: string[][] = [];
  for (const n of nodes) (columns[depth.get(n.id) ?? 0] ??= []).push(n.id);
  const rows = Math.max(1, ...columns.map((c) => c.length));
  const at = new Map<string, { x: number; y: number }>();
  columns.forEach((column, i) => column.forEach((id, j) => at.set(id, { x: i * (W + GX), y: (j + (rows - column.length) / 2) * (H + GY) })));
  const width = columns.length * (W + GX) - GX;
  const height = rows * (H + GY) - GY;
  return (
    <div class="graph-box" tabIndex={0} role="region" aria-label={label}>
      <div class="graph" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {reduced(nodes).map(([a, b]) => {
            const p = at.get(a);
            const q = at.get(b);
            if (!p || !q) return null;
            const x1 = p.x + W;
            const y1 = p.y + H / 2;
            const x2 = q.x;
            const y2 = q.y + H / 2;
            const mid = x2 - GX / 2;
            return <path key={`${a} ${b}`} class="graph-edge" d={y1 === y2 ? `M${x1} ${y1}H${x2}` : `M${x1} ${y1}H${mid - 6}C${mid} ${y1} ${mid} ${y1} ${mid} ${y1 + Math.sign(y2 - y1) * 6}V${y2 - Math.sign(y2 - y1) * 6}C${mid} ${y2} ${mid} ${y2} ${mid + 6} ${y2}H${x2}`} />;
          })}
        </svg>
        <ul>
          {nodes.map((n) => {
            const p = at.get(n.id);
            return p ? <li key={n.id} class="graph-node" style={{ left: `${p.x}px`, top: `${p.y}px`, width: `${W}px`, height: `${H}px` }}>{render(n.id)}</li> : null;
          })}
        </ul>
      </div>
    </div>
  );
}
