// The little Markdown that model cards use: headings, paragraphs, lists, tables, code, bold, links within the page. Never raw HTML.
import type { ComponentChildren } from "preact";
import "./Markdown.css";

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#124": "|" };
/** Backslash escapes and the few entities that texts need inside tables. */
const plain = (text: string) => text.replace(/\\([\\`*_{}[\]()#+\-.!|<>])/g, "$1").replace(/&(amp|lt|gt|quot|#39|#124);/g, (_m, name: string) => entities[name] ?? "");

function inline(text: string): ComponentChildren[] {
  const out: ComponentChildren[] = [];
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(((?:\/(?!\/)|https?:\/\/)[^)\s]*)\)/g;
  let last = 0;
  for (const m of text.matchAll(pattern)) {
    if (m.index > last) out.push(plain(text.slice(last, m.index)));
    if (m[1] !== undefined) out.push(<code>{m[1].replace(/&(amp|lt|gt|quot|#39|#124);/g, (_m, name: string) => entities[name] ?? "")}</code>);
    else if (m[2] !== undefined) out.push(<strong>{plain(m[2])}</strong>);
    else out.push(<a href={m[4]} {...(m[4]?.startsWith("/") ? {} : { target: "_blank", rel: "noreferrer noopener" })}>{m[3]}</a>);
    last = m.index + m[0].length;
  }
  out.push(plain(text.slice(last)));
  return out;
}

export function Markdown({ text }: { text: string }) {
  const blocks: ComponentChildren[] = [];
  const lines = text.replace(/\r/g, "").split("\n");
  let i = 0;
  const cells = (line: string) => line.replace(/^\||\|\s*$/g, "").split(/(?<!\\)\|/).map((c) => c.trim());
  while (i < lines.length) {
    const line = lines[i] as string;
    const heading = /^(#{1,4}) (.*)/.exec(line);
    if (!line.trim()) {
      i++;
    } else if (line.startsWith("```")) {
      const code: string[] = [];
      for (i++; i < lines.length && !(lines[i] as string).startsWith("```"); i++) code.push(lines[i] as string);
      i++;
      blocks.push(<pre tabIndex={0}><code>{code.join("\n")}</code></pre>);
    } else if (heading) {
      blocks.push((heading[1] as string).length === 1 ? <h2 class="md-1">{inline(heading[2] as string)}</h2> : <h3>{inline(heading[2] as string)}</h3>);
      i++;
    } else if (line.startsWith("|") && /^\|[\s:|-]+$/.test(lines[i + 1] ?? "")) {
      const head = cells(line);
      const rows: string[][] = [];
      for (i += 2; i < lines.length && (lines[i] as string).startsWith("|"); i++) rows.push(cells(lines[i] as string));
      blocks.push(
        <div class="md-table" tabIndex={0} role="region" aria-label={`table ${blocks.length}: ${head[0] ?? ""}`}>
          <table>
            <thead><tr>{head.map((c) => <th scope="col">{inline(c)}</th>)}</tr></thead>
            <tbody>{rows.map((r) => <tr>{r.map((c) => <td>{inline(c)}</td>)}</tr>)}</tbody>
          </table>
        </div>,
      );
    } else if (/^[-*] /.test(line)) {
      const items: string[] = [];
      for (; i < lines.length && /^[-*] /.test(lines[i] as string); i++) items.push((lines[i] as string).slice(2));
      blocks.push(<ul>{items.map((t) => <li>{inline(t)}</li>)}</ul>);
    } else {
      const words: string[] = [];
      for (; i < lines.length && (lines[i] as string).trim() && !/^(#|```|\||[-*] )/.test(lines[i] as string); i++) words.push(lines[i] as string);
      if (!words.length) words.push(lines[i++] as string);
      blocks.push(<p>{inline(words.join(" "))}</p>);
    }
  }
  return <div class="md">{blocks}</div>;
}
