// The model on parts of the rows: slices and groups, with their counts.
import type { Json } from "../../api/types";
import { Section } from "../../components/Page";
import { Table } from "../../components/Table";
import { count, metric, signed } from "../../lib/format";
import { lowerIsBetter } from "../runs/runs";

const isObject = (x: Json | undefined): x is { [key: string]: Json } => typeof x === "object" && x !== null && !Array.isArray(x);
const FEW = 30;

export function Slices({ slices, metric: key, overall }: { slices: Json | undefined; metric: string; overall: number }) {
  const rows = (Array.isArray(slices) ? slices : []).filter(isObject);
  if (!rows.length) return null;
  const known = new Set(rows.flatMap((r) => Object.keys(r)));
  const figures = [...new Set([key, "positive_share", "recall", "precision", "f1", "mae", ...known])].filter((k) => known.has(k) && !["column", "value", "rows", "small"].includes(k)).slice(0, 4);
  return (
    <Section title="Slices" note={`${key} of all rows ${metric(overall)}`}>
      <Table label="slices" keys={false} rows={rows} id={(r) => `${String(r["column"])}=${String(r["value"])}`} columns={[
        { key: "slice", title: "rows where", cell: (r) => <><span class="dim">{String(r["column"])} =</span> {String(r["value"])}</> },
        { key: "rows", title: "rows", num: true, cell: (r) => <span class={Number(r["rows"]) < FEW ? "warn" : ""} title={Number(r["rows"]) < FEW ? "too few to rely on" : undefined}>{count(Number(r["rows"]))}</span> },
        ...figures.map((f) => ({ key: f, title: f.replaceAll("_", " "), num: true, cell: (r: { [key: string]: Json }) => {
          const x = r[f];
          const value = isObject(x) ? x["value"] : x;
          if (typeof value !== "number") return <span class="faint">{typeof value === "string" ? value : "–"}</span>;
          const by = f === key ? value - overall : NaN;
          const good = lowerIsBetter(f) ? by <= 0 : by >= 0;
          return <>{metric(value)}{Number.isFinite(by) && <span class={`small ${good ? "dim" : "bad"}`}> {signed(by, 3)}</span>}</>;
        } })),
      ]} />
    </Section>
  );
}

export function Fairness({ fairness }: { fairness: Json | undefined }) {
  if (!isObject(fairness) || !Object.keys(fairness).length) return null;
  return (
    <Section title="Fairness" note="Fairlearn's definitions">
      {Object.entries(fairness).map(([column, x]) => {
        if (!isObject(x)) return null;
        const groups = isObject(x["groups"]) ? Object.entries(x["groups"]).filter(([, g]) => isObject(g)) as [string, { [key: string]: Json }][] : [];
        const figures = [...new Set(groups.flatMap(([, g]) => Object.keys(g)))].slice(0, 4);
        return (
          <div key={column} class="stack" style={{ marginBottom: "12px" }}>
            <h3>{column}</h3>
            <p class="row small">{Object.entries(x).filter(([k, v]) => k !== "groups" && typeof v === "number").map(([k, v]) => <span key={k}><span class="dim">{k.replaceAll("_", " ")}</span> <b>{metric(v as number)}</b></span>)}</p>
            {groups.length > 0 && (
              <Table label={`groups of ${column}`} keys={false} rows={groups} id={([g]) => g} columns={[
                { key: "group", title: "group", cell: ([g]) => g },
                ...figures.map((f) => ({ key: f, title: f.replaceAll("_", " "), num: true, cell: ([, g]: [string, { [key: string]: Json }]) => { const v = g[f]; return typeof v === "number" ? (f === "rows" || f === "count" ? count(v) : metric(v)) : "–"; } })),
              ]} />
            )}
          </div>
        );
      })}
    </Section>
  );
}
