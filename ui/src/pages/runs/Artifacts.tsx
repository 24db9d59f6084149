// The files of a run: a folder list, and a viewer for what a person can read.
import { useEffect, useState } from "preact/hooks";
import { api, seg, useApi } from "../../api/client";
import type { Artifact } from "../../api/types";
import { Icon } from "../../components/Icon";
import { Markdown } from "../../components/Markdown";
import { Section } from "../../components/Page";
import { bytes } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";

const readable = /\.(json|txt|md|yaml|yml|csv|log|toml|py|html|xml|lock)$|(^|\/)(MLmodel|requirements[^/]*)$/i;
const LIMIT = 200_000;
const fileUrl = (run: string, path: string) => api(`/runs/${seg(run)}/files/${path.split("/").map(seg).join("/")}`);

function Viewer({ run, path, size }: { run: string; path: string; size: number | undefined }) {
  const [text, setText] = useState<string>();
  useEffect(() => {
    setText(undefined);
    if (!readable.test(path)) return;
    const stop = new AbortController();
    fetch(fileUrl(run, path), { headers: { Range: `bytes=0-${LIMIT - 1}` }, signal: stop.signal })
      .then((r) => (r.ok ? r.text() : `${r.status}: this file can't be read`))
      .then((t) => {
        try {
          setText(path.endsWith(".json") && t.length < LIMIT ? JSON.stringify(JSON.parse(t), null, 2) : t);
        } catch {
          setText(t);
        }
      })
      .catch(() => undefined);
    return () => stop.abort();
  }, [run, path]);
  return (
    <div class="files-view">
      <p class="files-head"><code class="clip">{path}</code>{path.endsWith(".html") && <a class="small" href={fileUrl(run, path)} target="_blank" rel="noreferrer" data-plain>open</a>}<a class="small" href={fileUrl(run, path)} download={path.split("/").pop()} data-plain>download{size !== undefined ? ` ${bytes(size)}` : ""}</a></p>
      {/\.(png|jpe?g|gif|webp)$/i.test(path) ? <img src={fileUrl(run, path)} alt={path} /> : readable.test(path) ? (text === undefined ? <p class="faint">Loading…</p> : path.endsWith(".md") ? <Markdown text={text} /> : <pre tabIndex={0}><code>{text.length >= LIMIT ? text.slice(0, LIMIT) + "\n… the first 200 kB" : text}</code></pre>) : <p class="dim">Not a text. Download it to look inside.</p>}
    </div>
  );
}

export function Artifacts({ run }: { run: string }) {
  const folder = arg("folder");
  const file = arg("file");
  const listing = useApi<Artifact[]>(api(`/runs/${seg(run)}/artifacts`, { path: folder }));
  const items = listing.data ?? [];
  if (listing.data && !items.length && !folder) return <Section title="Files"><p class="faint">This run stored no files.</p></Section>;
  return (
    <Section title="Files" note={folder ? <code>{folder}</code> : undefined}>
      <div class="files">
        <ul class="files-list">
          {folder && <li><button type="button" onClick={() => setQuery({ folder: folder.split("/").slice(0, -1).join("/") || null, file: null })}>..</button></li>}
          {items.map((a) => (
            <li key={a.path}>
              <button type="button" aria-pressed={a.path === file} onClick={() => (a.is_dir ? setQuery({ folder: a.path, file: null }, true) : setQuery({ file: a.path }))}>
                <Icon name={a.is_dir ? "folder" : "file"} size={14} />
                <span class="clip">{a.path.split("/").pop()}</span>
                {!a.is_dir && <span class="num">{bytes(a.size)}</span>}
              </button>
            </li>
          ))}
        </ul>
        {file ? <Viewer run={run} path={file} size={items.find((a) => a.path === file)?.size} /> : <p class="faint">Choose a file to see it.</p>}
      </div>
    </Section>
  );
}
