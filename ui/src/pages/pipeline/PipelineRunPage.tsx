// One pipeline run: the graph, when each stage ran, why, and its log.
import { api, seg, useApi } from "../../api/client";
import type { PipelineRun, Ref, StageRun } from "../../api/types";
import { Actor, Chip } from "../../components/Chip";
import { Graph } from "../../components/Graph";
import { Facts, Loaded, Page, Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { seconds, short } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { Log } from "./Log";
import { StartRun } from "./StartRun";
import { causeRef, stageState, verdictOf, wallSeconds } from "./pipeline";
import "./Pipeline.css";

const word: Record<StageRun["status"], string> = { waiting: "waiting", running: "running", succeeded: "ran", failed: "failed", skipped: "unchanged", restored: "from cache", cancelled: "cancelled" };

export function PipelineRunPage({ args }: { args: Record<string, string> }) {
  const id = args["id"] ?? "";
  const data = useApi<PipelineRun>(api(`/pipeline/runs/${seg(id)}`));
  const picked = arg("stage");
  if (data.error?.error_code === "NOT_FOUND") {
    return (
      <Page title="Pipeline run" crumbs={<><a href="/pipeline">Pipeline</a> / <Chip value={{ kind: "pipeline_run", id }} /></>} verdict={{ state: "idle", text: "This run waits for its turn, or nothing had to run" }}>
        <p class="dim">It appears here as soon as its first stage is decided. <a href="/pipeline">All runs</a></p>
      </Page>
    );
  }
  return (
    <Loaded from={data} title="Pipeline run">
      {(r) => {
        const chosen = r.stages.find((s) => s.name === picked) ?? r.stages.find((s) => s.status === "failed") ?? r.stages.find((s) => s.status === "running") ?? r.stages[r.stages.length - 1];
        const timed = r.stages.filter((s) => s.started);
        const start = Math.min(r.started, ...timed.map((s) => s.started ?? r.started));
        const end = Math.max(r.ended ?? Date.now(), ...timed.map((s) => s.ended ?? 0));
        const x = (t: number) => ((t - start) / (end - start || 1)) * 100;
        return (
          <Page title={`Pipeline run ${short(r.id)}`} crumbs={<><a href="/pipeline">Pipeline</a> / <Chip value={{ kind: "pipeline_run", id: r.id }} /></>} verdict={verdictOf(r)} action={chosen && r.status !== "running" ? <StartRun stage={chosen.name} /> : undefined}>
            <Graph label="stages" nodes={r.stages.map((s) => ({ id: s.name, deps: s.deps }))} render={(name) => {
              const s = r.stages.find((o) => o.name === name);
              return s ? (
                <button type="button" class={`node node-${s.status}`} aria-pressed={s === chosen} onClick={() => setQuery({ stage: s.name })}>
                  <b><StateMark state={stageState[s.status]} size={12} title={word[s.status]} /> {s.name}</b>
                  <span class="small">{s.status === "succeeded" || s.status === "failed" ? `${word[s.status]} ${seconds(s.seconds)}` : word[s.status]}{s.attempts > 1 ? `, ${s.attempts} tries` : ""}</span>
                </button>
              ) : null;
            }} />
            <div class="cols" style={{ marginTop: "16px" }}>
              {chosen && (
                <Section title={chosen.name} note={<>{word[chosen.status]}{chosen.summary ? ` · ${chosen.summary}` : ""}</>}>
                  <h3>Why did it run?</h3>
                  {chosen.why.length === 0 ? <p class="dim small" style={{ marginBottom: "12px" }}>{chosen.status === "skipped" ? "It didn't: command, params and inputs are the same as last time." : chosen.status === "restored" ? "It didn't: the same inputs had run before, the outputs came from the cache." : chosen.status === "waiting" ? "It waits for the stages before it." : "No reason was recorded."}</p> : (
                    <table class="why" style={{ marginBottom: "12px" }}>
                      <thead><tr><th scope="col">what</th><th scope="col">before</th><th scope="col">now</th></tr></thead>
                      <tbody>{chosen.why.map((w) => <tr key={w.what}><td><code>{w.what}</code></td><td class="dim mono">{short(w.before) || "–"}</td><td class="mono">{short(w.after) || "–"}</td></tr>)}</tbody>
                    </table>
                  )}
                  <Log run={r.id} stage={chosen.name} live={chosen.status === "running"} silent={chosen.status === "skipped" || chosen.status === "restored" || chosen.status === "waiting"} />
                </Section>
              )}
              <div>
                <Section title="Time">
                  {timed.length === 0 ? <p class="faint">No stage had to run.</p> : (
                    <div class="gantt">
                      {r.stages.map((s) => (
                        <div key={s.name} class="gantt-row">
                          <span class="clip">{s.name}</span>
                          <span class="gantt-track">{s.started ? <span class={`gantt-${s.status}`} style={{ left: `${x(s.started)}%`, width: `${Math.max(0.3, x(s.ended ?? end) - x(s.started))}%` }} /> : null}</span>
                          <span class="num dim">{s.started ? seconds(s.seconds) : word[s.status]}</span>
                        </div>
                      ))}
                    </div>
                  )}
                </Section>
                <Section title="Facts">
                  <Facts items={[
                    ["started", <Time at={r.started} exact />],
                    ["took", seconds(wallSeconds(r))],
                    ["trigger", r.trigger],
                    ["cause", causeRef(r.cause) ? <Chip value={causeRef(r.cause) as Ref} /> : (r.cause ?? "–")],
                    ["by", <Actor name={r.actor ?? ""} />],
                    ["commit", r.commit ? <Chip value={{ kind: "commit", id: r.commit }} /> : "–"],
                    ["tracked as", r.run_id ? <Chip value={{ kind: "run", id: r.run_id }} /> : "–"],
                  ]} />
                </Section>
              </div>
            </div>
          </Page>
        );
      }}
    </Loaded>
  );
}
