// The same call in three languages, filled with the form's row.
import type { Endpoint } from "../../api/types";

export function snippetsFor(e: Endpoint, values: Record<string, string>): [string, string][] {
  const numeric = new Set(e.inputs.filter((i) => ["int", "float", "bool"].includes(i.type)).map((i) => i.name));
  const row: Record<string, string | number | null> = {};
  for (const i of e.inputs) {
    const text = values[i.name] ?? "";
    row[i.name] = text === "" ? null : numeric.has(i.name) ? Number(text) : text;
  }
  const url = `${location.origin}/endpoints/${encodeURIComponent(e.name)}/invocations`;
  const json = JSON.stringify({ dataframe_records: [row] });
  const python = Object.entries(row).map(([k, v]) => `    ${JSON.stringify(k)}: ${v === null ? "None" : JSON.stringify(v)},`).join("\n");
  return [
    ["curl", `curl ${url} \\\n  -H 'Content-Type: application/json' \\\n  -d '${json.replaceAll("'", "'\\''")}'`],
    ["Python", `import requests\n\nrow = {\n${python}\n}\nanswer = requests.post("${url}", json={"dataframe_records": [row]}, timeout=5)\nprint(answer.json(), answer.headers["x-rondo-prediction-id"])`],
    ["JavaScript", `const answer = await fetch("${url}", {\n  method: "POST",\n  headers: { "Content-Type": "application/json" },\n  body: JSON.stringify({ dataframe_records: [${JSON.stringify(row)}] }),\n});\nconsole.log(await answer.json());`],
  ];
}
