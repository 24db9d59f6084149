// Experiments as folders: "team/project/name" is a name in two folders.
import { useState } from "preact/hooks";
import type { Experiment } from "../../api/types";
import { Icon } from "../../components/Icon";
import { setQuery } from "../../lib/router";

interface Node {
  name: string;
  path: string;
  folders: Map<string, Node>;
  leaves: { id: string; name: string }[];
  count: number;
}
const folder = (name: string, path: string): Node => ({ name, path, folders: new Map(), leaves: [], count: 0 });

export function treeOf(experiments: Experiment[]): Node {
  const root = folder("", "");
  for (const e of experiments) {
    const parts = e.name.split("/").filter(Boolean);
    let at = root;
    at.count++;
    for (const part of parts.slice(0, -1)) {
      let next = at.folders.get(part);
      if (!next) at.folders.set(part, (next = folder(part, at.path ? `${at.path}/${part}` : part)));
      at = next;
      at.count++;
    }
    at.leaves.push({ id: e.id, name: parts[parts.length - 1] ?? e.name });
  }
  return root;
}

export function Tree({ experiments, experiment, inFolder }: { experiments: Experiment[]; experiment: string; inFolder: string }) {
  const [toggled, setToggled] = useState<Record<string, boolean>>({});
  const [find, setFind] = useState("");
  const fits = find ? experiments.filter((e) => e.name.toLowerCase().includes(find.toLowerCase())) : experiments;
  const root = treeOf(fits);
  const current = inFolder || (experiments.find((e) => e.id === experiment)?.name ?? "");
  const show = (node: Node, depth: number) => {
    const sorted = [...node.folders.values()].sort((a, b) => a.name.localeCompare(b.name));
    const pad = { paddingLeft: `${8 + depth * 14}px` };
    return (
      <>
        {sorted.map((f) => {
          const open = toggled[f.path] ?? (find !== "" || current === f.path || current.startsWith(`${f.path}/`) || experiments.length <= 30);
          return (
            <li key={`f${f.path}`}>
              <span class="tree-folder">
                <button type="button" class="tree-open" aria-expanded={open} aria-label={`${f.path} ${open ? "close" : "open"}`} style={{ marginLeft: `${depth * 14}px` }} onClick={() => setToggled({ ...toggled, [f.path]: !open })}><Icon name={open ? "down" : "right"} size={12} /></button>
                <button type="button" aria-pressed={inFolder === f.path} title={f.path} onClick={() => setQuery({ folder: f.path, experiment: null }, true)}><Icon name="folder" size={14} /><span class="clip">{f.name}</span><span class="tree-count">{f.count}</span></button>
              </span>
              {open && <ul>{show(f, depth + 1)}</ul>}
            </li>
          );
        })}
        {node.leaves.map((e) => (
          <li key={e.id}><button type="button" style={pad} title={e.name} aria-pressed={experiment === e.id} onClick={() => setQuery({ experiment: e.id, folder: null }, true)}><span class="clip">{e.name}</span></button></li>
        ))}
      </>
    );
  };
  return (
    <nav class="runs-tree" aria-label="experiments">
      <h2>Experiments</h2>
      {experiments.length > 20 && <input class="input" type="search" aria-label="find an experiment" placeholder={`find among ${experiments.length}`} value={find} onInput={(e) => setFind(e.currentTarget.value)} />}
      <ul class="tree">
        <li><button type="button" aria-pressed={!experiment && !inFolder} onClick={() => setQuery({ experiment: null, folder: null }, true)}>all</button></li>
        {show(root, 0)}
      </ul>
    </nav>
  );
}
