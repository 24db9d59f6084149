// Reads delimited text (RFC 4180 with any delimiter); a last row that is cut off is left out.
export interface TextTable {
  columns: string[];
  rows: string[][];
}

export function parseCsv(text: string, delimiter: string, whole: boolean, most = 1000): TextTable {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const end = () => {
    row.push(cell);
    cell = "";
  };
  const endRow = () => {
    end();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length && rows.length <= most; i++) {
    const c = text[i] as string;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === delimiter) end();
    else if (c === "\n") endRow();
    else if (c !== "\r") cell += c;
  }
  if (whole && rows.length <= most && (cell !== "" || row.length)) endRow();
  const [columns = [], ...rest] = rows;
  return { columns, rows: rest.slice(0, most) };
}

/** The delimiter that the first line has most of. */
export function delimiterOf(text: string, path: string): string {
  if (path.endsWith(".tsv")) return "\t";
  const line = text.slice(0, text.indexOf("\n") + 1 || undefined);
  return [",", ";", "\t", "|"].map((d) => ({ d, n: line.split(d).length })).sort((a, b) => b.n - a.n)[0]?.d ?? ",";
}
