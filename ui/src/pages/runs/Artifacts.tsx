// The files of a run: a folder list, and a viewer for what a person can read.
import { api, seg, useApi } from "../../api/client";
import type { Artifact } from "../../api/types";
import { Icon } from "../../components/Icon";
import { Section } from "../../components/Page";
import { bytes } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { Viewer } from "./Viewer";

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
