// One run: figures against a baseline, live charts, params, inputs, artifacts, where it came from and what it made.
import { api, seg, useApi } from "../../api/client";
import type { ModelSummary, RunDetail, Verdict } from "../../api/types";
import { Button } from "../../components/Button";
import { Actor, Chip, Chips } from "../../components/Chip";
import { Facts, Loaded, Page, Section } from "../../components/Page";
import { Time } from "../../components/Time";
import { metric, short, signed, tiny, toNumber } from "../../lib/format";
import { arg, navigate } from "../../lib/router";
import { Artifacts } from "./Artifacts";
import { Charts } from "./Charts";
import { duration, lowerIsBetter, metricKeys, runState, runWord } from "./runs";
import "./RunPage.css";

function verdictOf(r: RunDetail): Verdict {
  const main = metricKeys([r])[0];
  const figure = main ? `, ${main} ${metric(r.metrics[main])}` : "";
  const made = r.produced.find((p) => p.kind === "version");
  const word = r.status === "RUNNING" ? `is running since ${duration(r)}` : `${runWord[r.status]} after ${duration(r)}`;
  return { state: runState(r), text: `${r.name || short(r.id)} ${word}${figure}${made ? `; became ${made.id.replace("/", " v")}` : ""}` };
}

export function RunPage({ args }: { args: Record<string, string> }) {
  const id = args["id"] ?? "";
  const run = useApi<RunDetail>(api(`/runs/${seg(id)}`));
  const models = useApi<ModelSummary[]>(api("/models")).data ?? [];
  const champion = models.map((m) => m.champion?.run_id).find((c) => c && c !== id);
  const against = arg("baseline") || champion || "";
  const baseline = useApi<RunDetail>(against && against !== id ? api(`/runs/${seg(against)}`) : null).data;
  return (
    <Loaded from={run} title="Run">
      {(r) => {
        const keys = metricKeys([r]);
        const params = Object.entries(r.params).sort(([a], [b]) => a.localeCompare(b));
        const changed = (k: string, v: string) => baseline && baseline.params[k] !== undefined && baseline.params[k] !== v;
        return (
          <Page title={r.name || short(r.id)} crumbs={<><a href={`/runs?experiment=${seg(r.experiment_id)}`}>Runs</a> / <Chip value={{ kind: "run", id: r.id }} /></>} verdict={verdictOf(r)}
            action={baseline && <Button onClick={() => navigate(`/compare?runs=${baseline.id},${r.id}`)}>Compare with the champion</Button>}>
            <div class="cols run-cols">
              <Section title="Figures" note={baseline ? <>against {baseline.name || short(baseline.id)}</> : undefined}>
                {keys.length === 0 ? <p class="faint">No metric has been logged.</p> : (
                  <div class="run-figures" tabIndex={0} role="region" aria-label="table of figures">
                    <table class="stats">
                      <tbody>
                        {keys.map((k) => {
                          const by = baseline ? toNumber(r.metrics[k]) - toNumber(baseline.metrics[k]) : NaN;
                          const better = lowerIsBetter(k) ? by < 0 : by > 0;
                          return (
                            <tr key={k}>
                              <th scope="row">{k}</th>
                              <td class="num">{metric(r.metrics[k])}</td>
                              <td class={`num small ${!Number.isFinite(by) || tiny(by) ? "faint" : better ? "ok" : "bad"}`}>{Number.isFinite(by) ? signed(by) : ""}</td>
                            </tr>
                          );
                        })}
                      </tbody>
                    </table>
                  </div>
                )}
              </Section>
              <Section title="Params" note={baseline ? "a bar marks what differs" : undefined}>
                {params.length === 0 ? <p class="faint">None.</p> : (
                  <div class="run-figures" tabIndex={0} role="region" aria-label="table of params">
                    <table class="stats">
                      <tbody>
                        {params.map(([k, v]) => (
                          <tr key={k} class={changed(k, v) ? "run-changed" : ""}>
                            <th scope="row">{k}</th>
                            <td class="num mono run-param">{v}{changed(k, v) && <span class="faint"> was {baseline?.params[k]}</span>}</td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </div>
                )}
              </Section>
              <Section title="Lineage">
                <Facts items={[
                  ["by", <Actor name={r.user} />],
                  ["started", <Time at={r.start} exact />],
                  ["took", duration(r)],
                  ["read", r.inputs.length ? <span class="chips">{r.inputs.map((i) => (i.ref ? <Chip key={i.digest} value={i.ref} /> : <code key={i.digest} title={i.source}>{i.name} {short(i.digest)}</code>))}</span> : <span class="faint">nothing recorded</span>],
                  ["came from", <Chips items={r.came_from} />],
                  ["produced", <Chips items={r.produced} empty="nothing registered" />],
                  ...Object.entries(r.tags).filter(([k]) => /^(rondo\.|mlflow\.source|mlflow\.user)/.test(k)).slice(0, 12).map(([k, v]): [string, preact.ComponentChildren] => [k.replace(/^(mlflow|rondo)\./, ""), k === "mlflow.source.git.commit" ? <Chip value={{ kind: "commit", id: v }} /> : <code>{v}</code>]),
                ]} />
              </Section>
            </div>
            <Charts runs={[{ id: r.id, name: r.name || short(r.id) }]} />
            <Artifacts run={r.id} />
          </Page>
        );
      }}
    </Loaded>
  );
}
