// One endpoint: traffic, rollout and its guards, latency and scores per variant, changes, and a form to try it.
import { api, post, seg, useApi } from "../../api/client";
import type { Endpoint } from "../../api/types";
import { AskButton } from "../../components/Button";
import { Actor, VersionChip } from "../../components/Chip";
import { Words } from "../../components/EventList";
import { Loaded, Page, Section } from "../../components/Page";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { TrafficBar } from "../../components/Traffic";
import { count, ms, percent } from "../../lib/format";
import { versionColour } from "../../lib/colour";
import { RolloutPlan } from "./RolloutPlan";
import { Scores } from "./Scores";
import { TryIt } from "./TryIt";
import { isOpen, verdictOf } from "./serving";
import "./EndpointPage.css";

export const EndpointPage = ({ args }: { args: Record<string, string> }) => <EndpointView name={args["endpoint"] ?? ""} />;

export function EndpointView({ name }: { name: string }) {
  const data = useApi<Endpoint>(api(`/endpoints/${seg(name)}`));
  return (
    <Loaded from={data} title={name}>
      {(e) => {
        const act = (what: string) => (reason: string) => post(api(`/endpoints/${seg(e.name)}/${what}`), { reason });
        const open = isOpen(e.rollout);
        const r = e.rollout;
        return (
          <Page title={e.name} crumbs={<><a href="/serving">Serving</a> / {e.name} <span class="faint">follows {e.model}@champion</span></>} verdict={verdictOf(e)}
            action={<>
              {open && r?.state === "running" && <AskButton label="Pause" what="Keeps the shares as they are and stops judging." act={act("pause")} />}
              {open && r?.state === "paused" && <AskButton label="Resume" what="Goes on with the plan from the present step." act={act("resume")} />}
              {open && <AskButton label="Advance" what="Takes the next step of the plan now, without waiting for its guards." needsReason act={act("advance")} />}
              {open ? <AskButton kind="danger" label="Abort" what={`Sends all traffic back to v${r?.from ?? "?"} at once.`} needsReason act={act("abort")} /> : e.previous !== undefined && <AskButton kind="danger" label={`Roll back to v${e.previous}`} what={`All traffic goes to v${e.previous} at once and @champion moves with it. No request fails.`} needsReason act={act("rollback")} />}
            </>}>
            <TrafficBar variants={e.variants} />
            <Table label="variants" keys={false} rows={e.variants} id={(v) => `${v.role} ${v.version}`} columns={[
              { key: "version", title: "version", cell: (v) => <VersionChip model={v.model} version={v.version} /> },
              { key: "role", title: "role", cell: (v) => v.role },
              { key: "weight", title: "traffic", num: true, cell: (v) => (v.role === "shadow" ? <span class="dim">copies</span> : percent(v.weight)) },
              { key: "requests", title: "requests", num: true, cell: (v) => count(v.requests) },
              { key: "errors", title: "errors", num: true, cell: (v) => (v.requests ? <span class={v.errors / v.requests > 0.01 ? "bad" : ""}>{percent(v.errors / v.requests, 2)} ({count(v.errors)})</span> : <span class="faint">no data</span>) },
              { key: "p50", title: "p50", num: true, cell: (v) => ms(v.latency_ms.p50) },
              { key: "p95", title: "p95", num: true, cell: (v) => ms(v.latency_ms.p95) },
              { key: "p99", title: "p99", num: true, cell: (v) => ms(v.latency_ms.p99) },
              { key: "runtime", title: "runtime", grow: true, cell: (v) => <span class="dim">{v.runtime ?? ""}</span> },
            ]} />
            <div class="cols endpoint-cols">
              {r && <RolloutPlan rollout={r} model={e.model} />}
              <Scores variants={e.variants.filter((v) => v.scores)} colour={(v) => versionColour(v.model, v.version)} />
            </div>
            <TryIt endpoint={e} />
            <Section title="Changes">
              {e.events.length === 0 ? <p class="faint">None yet.</p> : (
                <ol class="events">
                  {e.events.map((x) => (
                    <li key={`${x.time} ${x.action} ${x.text}`}>
                      <span class="events-time small dim"><Time at={x.time} /></span>
                      <span class="events-text"><Actor name={x.actor} /> <b>{x.action.replace(/[._]/g, " ")}</b> <span class="dim"><Words text={x.text} /></span></span>
                    </li>
                  ))}
                </ol>
              )}
            </Section>
          </Page>
        );
      }}
    </Loaded>
  );
}
