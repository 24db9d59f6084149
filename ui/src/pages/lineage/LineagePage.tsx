// Any id: what it came from on the left, what came from it on the right.
import { api, useApi } from "../../api/client";
import type { Json, Lineage, LineageNode, Ref, RefKind } from "../../api/types";
import { Chip } from "../../components/Chip";
import { Lineage3 } from "../../components/Lineage3";
import { Facts, Loaded, Page, Section } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { metric, plural } from "../../lib/format";
import { kindName, labelOf } from "../../lib/refs";

export const refOf = (n: LineageNode): Ref => ({ kind: n.kind as RefKind, id: n.id, ...(n.kind === "dataset" && n.title.includes(",") ? { label: n.title.split(",")[0] as string } : {}) });

function viaOf(text: string): Ref | undefined {
  const space = text.indexOf(" ");
  return space > 0 ? { kind: text.slice(0, space) as RefKind, id: text.slice(space + 1) } : undefined;
}
function show(v: Json): preact.ComponentChildren {
  if (typeof v === "number") return metric(v);
  if (v !== null && typeof v === "object") return <code class="small">{JSON.stringify(v)}</code>;
  return v === null || v === "" ? <span class="faint">missing</span> : String(v);
}

export function LineagePage({ args }: { args: Record<string, string> }) {
  const kind = (args["kind"] ?? "run") as RefKind;
  const id = args["id"] ?? "";
  const data = useApi<Lineage>(api("/lineage", { id }));
  return (
    <Loaded from={data} title={`${kindName[kind] ?? kind} ${labelOf({ kind, id })}`}>
      {(l) => {
        const self = refOf(l.subject);
        const name = kindName[self.kind] ?? self.kind;
        const facts = l.subject.facts !== null && typeof l.subject.facts === "object" && !Array.isArray(l.subject.facts) ? l.subject.facts : {};
        const inputs = facts["inputs"];
        const rest = Object.entries(facts).filter(([k]) => k !== "inputs");
        const all = [...l.upstream.map((n) => ({ ...n, side: "came from" })), ...l.downstream.map((n) => ({ ...n, side: "led to" }))];
        return (
          <Page title={`${name} ${labelOf(self)}`} crumbs={<>Lineage / {name} <Chip value={self} bare /></>}
            verdict={{ state: all.length ? "ok" : "idle", text: `${l.subject.title || `${name} ${labelOf(self)}`}; ${plural(l.upstream.length, "cause")}, ${plural(l.downstream.length, "consequence")}` }}>
            <Section title="Where from, where to"><Lineage3 columns={[["came from", l.upstream.map(refOf)], [name, [self]], ["led to", l.downstream.map(refOf)]]} /></Section>
            <div class="cols">
              {(rest.length > 0 || l.subject.time > 0) && <Section title="Facts"><Facts items={[...(l.subject.time ? [["time", <Time at={l.subject.time} exact />] as [string, preact.ComponentChildren]] : []), ...rest.map(([k, v]): [string, preact.ComponentChildren] => [k.replaceAll("_", " "), show(v)])]} /></Section>}
              {inputs !== null && typeof inputs === "object" && !Array.isArray(inputs) && inputs !== undefined && <Section title="Inputs"><Facts items={Object.entries(inputs).map(([k, v]) => [k, show(v)])} /></Section>}
            </div>
            {all.length > 0 && (
              <Section title="Links">
                <Table label="links" keys={false} rows={all} id={(n) => `${n.side} ${n.kind} ${n.id}`} columns={[
                  { key: "side", title: "side", cell: (n) => <span class="dim">{n.side}</span> },
                  { key: "thing", title: "what", cell: (n) => <Chip value={refOf(n)} /> },
                  { key: "relation", title: "tie", cell: (n) => { const via = viaOf(n.via); return <span class="dim">{n.relation} {via && <Chip value={via} bare />}</span>; } },
                  { key: "time", title: "when", cell: (n) => <span class="dim"><Time at={n.time} /></span> },
                  { key: "title", title: "in words", grow: true, cell: (n) => n.title },
                ]} />
              </Section>
            )}
          </Page>
        );
      }}
    </Loaded>
  );
}
