// Pipeline runs, what would run now, and what starts runs by itself.
import { api, seg, useApi } from "../../api/client";
import type { PipelineRun, Plan, Ref, Trigger } from "../../api/types";
import { Chip } from "../../components/Chip";
import { Loaded, Page, Section } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { list, metric, seconds } from "../../lib/format";
import { metricKeys } from "../runs/runs";
import { StartRun } from "./StartRun";
import { causeRef, runState, verdictOf, wallSeconds } from "./pipeline";
import "./Pipeline.css";

export function PipelinePage() {
  const runs = useApi<PipelineRun[]>(api("/pipeline/runs"));
  const plan = useApi<Plan>(api("/pipeline/plan")).data;
  const triggers = useApi<Trigger[]>(api("/pipeline/triggers")).data ?? [];
  return (
    <Loaded from={runs} title="Pipeline">
      {(all) => {
        const newest = all[0];
        const stale = plan?.stages.filter((s) => s.action === "run") ?? [];
        const main = metricKeys(all.map((r) => ({ metrics: r.metrics }) as never))[0];
        return (
          <Page title="Pipeline" verdict={newest ? verdictOf(newest) : { state: "idle", text: "The pipeline has never run" }} action={<StartRun />}>
            {all.length === 0 && <Empty text="The sections of rondo.yaml are the pipeline. See what it would do, then do it:" code={"rondo plan\nrondo run"} />}
            <div class="cols">
              <Section title="What a run would do now">
                {!plan ? <p class="faint">No project folder, so no plan.</p> : stale.length === 0 ? <p><StateMark state="ok" /> Nothing: everything is up to date.</p> : (
                  <ul class="lines">
                    {stale.map((s) => (
                      <li key={s.name}><StateMark state="idle" title="would run" /> <b>{s.name}</b> <span class="lines-text dim">{s.why.length ? list(s.why.map((w) => `${w.what} changed`)) : "after what changes before it"}</span></li>
                    ))}
                  </ul>
                )}
              </Section>
              <Section title="Schedules and triggers">
                {triggers.length === 0 ? <p class="faint">None. <code>retrain: {"{when: [drift]}"}</code> or <code>triggers:</code> in rondo.yaml.</p> : (
                  <Table label="triggers" keys={false} rows={triggers} id={(t) => t.name} columns={[
                    { key: "name", title: "name", cell: (t) => <b>{t.name}</b> },
                    { key: "rule", title: "when", cell: (t) => <code>{t.rule}</code> },
                    { key: "last", title: "last", cell: (t) => <span class="dim"><Time at={t.last} /></span> },
                    { key: "next", title: "next", grow: true, cell: (t) => (t.next ? <Time at={t.next} /> : <span class="faint">by event</span>) },
                  ]} />
                )}
              </Section>
            </div>
            {all.length > 0 && (
              <Section title="Runs">
                <Table label="pipeline runs" rows={all} id={(r) => r.id} href={(r) => `/pipeline/${seg(r.id)}`} columns={[
                  { key: "id", title: "run", cell: (r) => <><StateMark state={runState[r.status]} title={r.status} /> <Chip value={{ kind: "pipeline_run", id: r.id }} bare /></> },
                  { key: "started", title: "started", cell: (r) => <span class="dim"><Time at={r.started} /></span> },
                  { key: "took", title: "took", num: true, cell: (r) => seconds(wallSeconds(r)) },
                  { key: "trigger", title: "by", cell: (r) => <>{r.trigger}{causeRef(r.cause) ? <> <Chip value={causeRef(r.cause) as Ref} /></> : r.cause ? <span class="dim"> {r.cause}</span> : null}</> },
                  { key: "stages", title: "stages", cell: (r) => <span class="stage-row">{r.stages.map((s) => <span key={s.name} class={`stage-bit stage-${s.status}`} title={`${s.name}: ${s.status}, ${seconds(s.seconds)}`} />)}</span> },
                  ...(main ? [{ key: "m", title: main, num: true, cell: (r: PipelineRun) => metric(r.metrics[main]) }] : []),
                  { key: "run_id", title: "tracked as", grow: true, cell: (r) => (r.run_id ? <Chip value={{ kind: "run", id: r.run_id }} bare /> : <span class="faint">–</span>) },
                ]} />
                <p class="small dim stage-key">{(["succeeded", "skipped", "restored", "running", "failed", "cancelled", "waiting"] as const).map((s) => <span key={s}><span class={`stage-bit stage-${s}`} /> {s === "skipped" ? "unchanged" : s}</span>)}</p>
              </Section>
            )}
          </Page>
        );
      }}
    </Loaded>
  );
}
