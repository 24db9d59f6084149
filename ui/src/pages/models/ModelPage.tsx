// A model's biography: its versions, who was champion when, and why.
import { api, post, seg, useApi } from "../../api/client";
import type { ModelDetail, Verdict } from "../../api/types";
import { AliasBand } from "../../components/AliasBand";
import { AskButton, Button } from "../../components/Button";
import { Actor, Chip, Chips, VersionChip } from "../../components/Chip";
import { GateMarks } from "../../components/Gates";
import { IntervalBar, rangeOf } from "../../components/IntervalBar";
import { Loaded, Page, Section } from "../../components/Page";
import { Table, type Column } from "../../components/Table";
import { Time } from "../../components/Time";
import { metric, signed, tiny, toNumber } from "../../lib/format";
import { arg, navigate, setQuery } from "../../lib/router";
import { lowerIsBetter } from "../runs/runs";
import { OnDate } from "./OnDate";
import { isChampion, metricOrder } from "./models";
import type { VersionRow } from "../../api/types";
import "./ModelPage.css";

function verdictOf(m: ModelDetail): Verdict {
  const champion = m.rows.find(isChampion);
  const challenger = m.rows.find((v) => v.aliases.includes("challenger"));
  if (!m.rows.length) return { state: "idle", text: `${m.name} has no version yet` };
  if (!champion) return { state: "warn", text: `${m.name} has no champion: nothing serves it` };
  const failed = champion.gates.filter((g) => !g.passed && !g.warn).length;
  const serves = champion.endpoints.length ? ` and serves ${champion.endpoints.join(", ")}` : "";
  return { state: failed ? "bad" : challenger ? "busy" : "ok", text: `v${champion.version} is champion${serves}${failed ? `, though ${failed} of its gates fail` : ""}${challenger ? `; v${challenger.version} challenges it` : ""}` };
}

export function ModelPage({ args }: { args: Record<string, string> }) {
  const name = args["model"] ?? "";
  const data = useApi<ModelDetail>(api(`/models/${seg(name)}`));
  return (
    <Loaded from={data} title={name}>
      {(m) => {
        const keys = metricOrder(m.rows).slice(0, 3);
        const champion = m.rows.find(isChampion);
        const before = m.history.find((h) => h.alias === "champion" && h.to === champion?.version)?.from;
        const main = keys[0];
        const selected = arg("selected").split(",").filter(Boolean);
        const runsOf = selected.flatMap((s) => m.rows.find((v) => String(v.version) === s)?.run_id || []);
        const staged = m.rows.some((v) => v.stage && v.stage !== "None");
        const range = main ? rangeOf(m.rows.flatMap((v) => (v.metrics[main] ? [v.metrics[main]] : []))) : undefined;
        const columns: Column<VersionRow>[] = [
          { key: "version", title: "version", cell: (v) => <VersionChip model={m.name} version={v.version} /> },
          { key: "aliases", title: "aliases", cell: (v) => (v.aliases.length ? <span class="row model-aliases">{v.aliases.map((a) => <b key={a} class={`alias alias-${a}`}>@{a}</b>)}</span> : <span class="faint">–</span>) },
          ...(staged ? [{ key: "stage", title: "stage", cell: (v: VersionRow) => (v.stage === "None" ? <span class="faint">–</span> : v.stage) }] : []),
          { key: "gates", title: "gates", cell: (v) => <GateMarks gates={v.gates} /> },
          ...keys.flatMap((k, i): Column<VersionRow>[] => {
            const base = toNumber(champion?.metrics[k]?.value);
            return [
              { key: k, title: k, num: true, cell: (v) => {
                const by = toNumber(v.metrics[k]?.value) - base;
                const good = lowerIsBetter(k) ? by < 0 : by > 0;
                return <>{metric(v.metrics[k]?.value)}{!isChampion(v) && Number.isFinite(by) && !tiny(by) && <span class={`small ${good ? "ok" : "bad"}`}> {signed(by)}</span>}</>;
              } },
              ...(i === 0 && range ? [{ key: "interval", title: "interval", width: 130, cell: (v: VersionRow) => (v.metrics[k] ? <IntervalBar value={v.metrics[k]} range={range} label={k} {...(Number.isFinite(base) ? { mark: base } : {})} /> : null) }] : []),
            ];
          }),
          { key: "approved", title: "approvals", cell: (v) => (v.approved || v.rejected ? <span>{v.approved > 0 && <span class="ok">✓ {v.approved}</span>} {v.rejected > 0 && <span class="bad">✗ {v.rejected}</span>}</span> : <span class="faint">–</span>) },
          { key: "serves", title: "serves", cell: (v) => <Chips items={v.endpoints.map((e) => ({ kind: "endpoint" as const, id: e }))} empty="–" /> },
          { key: "run", title: "from run", cell: (v) => (v.run_id ? <Chip bare value={{ kind: "run", id: v.run_id }} /> : "–") },
          { key: "time", title: "made", grow: true, cell: (v) => <span class="dim"><Time at={v.time} /> by {v.user}</span> },
        ];
        return (
          <Page title={m.name} crumbs={<><a href="/models">Models</a> / {m.name}</>} verdict={verdictOf(m)}
            action={before !== undefined && champion && (
              <AskButton kind="danger" label={`Roll back to v${before}`} needsReason what={`Moves @champion of ${m.name} from v${champion.version} to v${before}. Endpoints that follow it switch without a failed request.`}
                act={(reason) => post(api(`/models/${seg(m.name)}/aliases/champion`), { version: before, reason })} />
            )}>
            {m.description && <p class="dim model-text">{m.description}</p>}
            <Section title="Who was what, when" action={m.history.length > 0 && <OnDate model={m.name} history={m.history} />}><AliasBand model={m.name} history={m.history} /></Section>
            <Section title="Versions" note={champion ? `differences are against v${champion.version}` : undefined} action={selected.length > 0 && <Button kind={runsOf.length > 1 ? "main" : "plain"} disabled={runsOf.length < 2} title="their figures, params, curves and data side by side" onClick={() => navigate(`/compare?runs=${runsOf.join(",")}`)}>Compare {selected.map((s) => `v${s}`).join(", ")}</Button>}>
              <Table label="versions" rows={m.rows} selected={selected} onSelect={(id) => setQuery({ selected: (selected.includes(id) ? selected.filter((s) => s !== id) : [...selected, id]).join(",") })} columns={columns} id={(v) => String(v.version)} href={(v) => `/models/${seg(m.name)}/${v.version}`} marked={isChampion} />
            </Section>
            <Section title="Alias history">
              <Table label="alias history" keys={false} rows={m.history} id={(h) => `${h.alias} ${h.time} ${h.to ?? ""}`}
                columns={[
                  { key: "time", title: "when", cell: (h) => <span class="dim"><Time at={h.time} /></span> },
                  { key: "alias", title: "alias", cell: (h) => <code>@{h.alias}</code> },
                  { key: "move", title: "move", cell: (h) => <>{h.from !== undefined ? `v${h.from}` : "nothing"} → {h.to !== undefined ? <strong>v{h.to}</strong> : "nothing"}</> },
                  { key: "actor", title: "by", cell: (h) => <Actor name={h.actor} /> },
                  { key: "reason", title: "why", grow: true, cell: (h) => <span class="dim">{h.reason}</span> },
                ]} />
            </Section>
          </Page>
        );
      }}
    </Loaded>
  );
}
