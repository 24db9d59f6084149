// Shows one file by what it is: picture, table, JSON, page, code. Never more than its beginning.
import { useEffect, useState } from "preact/hooks";
import { api, seg, useApi } from "../../api/client";
import type { Json, TableHead } from "../../api/types";
import { Markdown } from "../../components/Markdown";
import { delimiterOf, parseCsv } from "../../lib/csv";
import { bytes, count } from "../../lib/format";
import { highlight } from "../../lib/highlight";
import { JsonTree } from "./JsonTree";

const LIMIT = 400_000;
const PICTURE = 20_000_000;
const PAGE = 20_000_000;
export const fileUrl = (run: string, path: string, what = "files") => api(`/runs/${seg(run)}/${what}/${path.split("/").map(seg).join("/")}`);

type Kind = "picture" | "csv" | "parquet" | "json" | "page" | "markdown" | "text" | "other";
export function kindOf(path: string): Kind {
  if (/\.(png|jpe?g|gif|webp|svg)$/i.test(path)) return "picture";
  if (/\.(csv|tsv)$/i.test(path)) return "csv";
  if (/\.parquet$/i.test(path)) return "parquet";
  if (/\.json$/i.test(path)) return "json";
  if (/\.html?$/i.test(path)) return "page";
  if (/\.md$/i.test(path)) return "markdown";
  if (/\.(txt|ya?ml|log|toml|py|r|sh|sql|js|ts|java|cc?|cpp|h|rs|go|xml|lock|cfg|ini|jsonl|env|ipynb)$|(^|\/)(MLmodel|MLproject|Dockerfile|Makefile|requirements[^/]*|LICENSE|README)$/i.test(path)) return "text";
  return "other";
}

function Cells({ columns, rows, note }: { columns: { name: string; type?: string }[]; rows: (string | null | undefined)[][]; note: string }) {
  const [most, setMost] = useState(100);
  return (
    <>
      <p class="small dim">{note}</p>
      <div class="table-box viewer-table" tabIndex={0} role="region" aria-label="table of the file">
        <table class="table">
          <thead><tr><th scope="col" class="num faint">#</th>{columns.map((c, i) => <th key={i} scope="col" class={c.type && /INT|DOUBLE|FLOAT|DECIMAL/.test(c.type) ? "num" : ""}>{c.name}{c.type && <span class="table-unit"> {c.type.toLowerCase()}</span>}</th>)}</tr></thead>
          <tbody>
            {rows.slice(0, most).map((r, i) => (
              <tr key={i}><td class="num faint">{i + 1}</td>{columns.map((c, k) => <td key={k} class={c.type && /INT|DOUBLE|FLOAT|DECIMAL/.test(c.type) ? "num" : ""} title={r[k] ?? "missing"}>{r[k] === null || r[k] === undefined ? <span class="faint">–</span> : r[k]}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > most && <button type="button" class="link" onClick={() => setMost(most + 400)}>more rows</button>}
    </>
  );
}

function Parquet({ run, path }: { run: string; path: string }) {
  const { data, error } = useApi<TableHead>(`${fileUrl(run, path, "table")}?rows=200`);
  if (error) return <p class="problem" role="alert">{error.message} <span class="dim">{error.hint}</span></p>;
  if (!data) return <p class="faint">Loading…</p>;
  const n = data.cells[0]?.length ?? 0;
  return <Cells columns={data.columns} rows={Array.from({ length: n }, (_, r) => data.cells.map((c) => c[r]))} note={n < data.rows ? `the first ${count(n)} of ${count(data.rows)} rows` : `${count(data.rows)} rows`} />;
}

function Text({ run, path, kind }: { run: string; path: string; kind: Kind }) {
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState("");
  const [source, setSource] = useState(false);
  useEffect(() => {
    setText(undefined);
    setProblem("");
    const stop = new AbortController();
    fetch(fileUrl(run, path), { headers: { Range: `bytes=0-${LIMIT - 1}` }, signal: stop.signal })
      .then(async (r) => (r.ok || r.status === 416 ? setText(r.status === 416 ? "" : await r.text()) : setProblem(r.status === 404 ? "The run has no such file any more." : `The server answered ${r.status}.`)))
      .catch(() => undefined);
    return () => stop.abort();
  }, [run, path]);
  if (problem) return <p class="problem" role="alert">{problem}</p>;
  if (text === undefined) return <p class="faint">Loading…</p>;
  const cut = text.length >= LIMIT;
  if (text === "") return <p class="faint">The file is empty.</p>;
  const tools = kind === "text" ? null : <button type="button" class="link" aria-pressed={source} onClick={() => setSource(!source)}>{source ? "shown" : "as text"}</button>;
  if (!source && kind === "markdown") return <>{tools}<Markdown text={text} /></>;
  if (!source && kind === "csv") {
    const table = parseCsv(text, delimiterOf(text, path), !cut);
    return <>{tools}<Cells columns={table.columns.map((name) => ({ name }))} rows={table.rows} note={cut || table.rows.length >= 1000 ? `the first ${count(table.rows.length)} rows` : `${count(table.rows.length)} rows`} /></>;
  }
  if (!source && kind === "json" && !cut) {
    try {
      return <>{tools}<JsonTree value={JSON.parse(text) as Json} /></>;
    } catch {
      // shown as it is
    }
  }
  const code = highlight(text, path);
  return (
    <>
      {tools}
      <pre tabIndex={0}><code>{code ? code.map((p, i) => (p.mark ? <span key={i} class={`hl-${p.mark}`}>{p.text}</span> : p.text)) : text}</code></pre>
      {cut && <p class="small dim">The first {bytes(LIMIT)}. Download it for the rest.</p>}
    </>
  );
}

export function Viewer({ run, path, size }: { run: string; path: string; size: number | undefined }) {
  const kind = kindOf(path);
  const url = fileUrl(run, path);
  const large = size !== undefined && ((kind === "picture" && size > PICTURE) || (kind === "page" && size > PAGE));
  return (
    <div class="files-view">
      <p class="files-head">
        <code class="clip">{path}</code>
        {kind === "page" && <a class="small" href={url} target="_blank" rel="noreferrer" data-plain>open</a>}
        <a class="small" href={url} download={path.split("/").pop()} data-plain>download{size !== undefined ? ` ${bytes(size)}` : ""}</a>
      </p>
      {large ? <p class="dim">Too large to show. Download it to look inside.</p>
        : kind === "picture" ? <img src={url} alt={path} />
          : kind === "page" ? (
            <>
              <p class="small dim">In a sandbox: it sees nothing of Rondo and loads nothing from elsewhere.</p>
              <iframe key={url} src={url} sandbox="allow-scripts" referrerpolicy="no-referrer" title={path} />
            </>
          )
            : kind === "parquet" ? <Parquet run={run} path={path} />
              : kind === "other" ? <p class="dim">Not a text. Download it to look inside.</p>
                : <Text key={path} run={run} path={path} kind={kind} />}
    </div>
  );
}
