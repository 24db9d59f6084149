// Marks comments, strings, numbers and words of code, well enough to read by: one pass, no grammar.
export type Mark = "" | "comment" | "string" | "number" | "word" | "key";
export interface Piece {
  text: string;
  mark: Mark;
}

const words = new Set("and as assert async await break case class const continue def del do elif else enum except export extends false False finally for from function if import in is lambda let match new None nonlocal not null or pass raise return self static struct switch this throw true True try type using var void while with yield".split(" "));
const slashes = /\.(js|ts|tsx|jsx|java|c|cc|cpp|h|rs|go|scala|json|css)$/i;
const hashes = /\.(py|r|sh|ya?ml|toml|cfg|ini|txt|lock)$|(^|\/)(MLmodel|MLproject|Dockerfile)$/i;

/** Null: this is no code. */
export function highlight(text: string, path: string): Piece[] | null {
  const comment = slashes.test(path) ? "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)" : hashes.test(path) ? "#[^\\n]*" : "";
  if (!comment) return null;
  const data = /\.(ya?ml|toml|cfg|ini|json)$|MLmodel$|MLproject$/i.test(path);
  const parts = [`(?<comment>${comment})`, `(?<string>"""[\\s\\S]*?(?:"""|$)|"(?:\\\\.|[^"\\\\\\n])*"|'(?:\\\\.|[^'\\\\\\n])*')`, ...(data ? ["(?<key>(?<=^|\\n)[ \\t-]*[\\w.\\/]+(?=\\s*[:=]))"] : []), "(?<number>\\b\\d[\\w.]*)", "(?<word>\\b[A-Za-z_]\\w*\\b)"];
  const find = new RegExp(parts.join("|"), "g");
  const out: Piece[] = [];
  let at = 0;
  const put = (piece: string, mark: Mark) => {
    const last = out[out.length - 1];
    if (last && last.mark === mark) last.text += piece;
    else if (piece) out.push({ text: piece, mark });
  };
  for (const m of text.matchAll(find)) {
    put(text.slice(at, m.index), "");
    const g = m.groups ?? {};
    put(m[0], g["comment"] !== undefined ? "comment" : g["string"] !== undefined ? "string" : g["key"] !== undefined ? "key" : g["number"] !== undefined ? "number" : words.has(m[0]) ? "word" : "");
    at = (m.index ?? 0) + m[0].length;
  }
  put(text.slice(at), "");
  return out;
}
