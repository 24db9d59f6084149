// All endpoints: who gets the traffic and how it goes.
import { api, seg, useApi } from "../../api/client";
import type { Endpoint, Verdict } from "../../api/types";
import { Loaded, Page } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { TrafficBar } from "../../components/Traffic";
import { count, list, ms, percent, plural } from "../../lib/format";
import { EndpointView } from "./EndpointPage";
import { rolloutWord } from "./serving";

function verdictOf(all: Endpoint[]): Verdict {
  if (!all.length) return { state: "idle", text: "Nothing is served yet" };
  const bad = all.filter((e) => e.state === "bad" || e.state === "warn");
  if (bad.length) return { state: bad.some((e) => e.state === "bad") ? "bad" : "warn", text: `${list(bad.map((e) => e.name))} ${bad.length === 1 ? "needs" : "need"} a look` };
  const moving = all.filter((e) => e.rollout && ["running", "paused", "waiting"].includes(e.rollout.state));
  return { state: moving.length ? "busy" : "ok", text: `${plural(all.length, "endpoint")} up${moving.length ? `; ${list(moving.map((e) => e.name))} in a rollout` : ""}` };
}

export function ServingPage() {
  const data = useApi<Endpoint[]>(api("/endpoints"));
  const only = data.data?.length === 1 ? data.data[0] : undefined;
  if (only) return <EndpointView name={only.name} />;
  return (
    <Loaded from={data} title="Serving">
      {(all) => (
        <Page title="Serving" verdict={verdictOf(all)}>
          {all.length === 0 ? (
            <Empty text="An endpoint follows the champion of a model. Name it in rondo.yaml and run:" code={"deploy: {endpoint: churn, rollout: canary}\n\nrondo run"} more="or: rondo deploy churn@champion --endpoint churn" />
          ) : (
            <Table label="endpoints" rows={all} id={(e) => e.name} href={(e) => `/serving/${seg(e.name)}`} columns={[
              { key: "name", title: "endpoint", cell: (e) => <><StateMark state={e.state} /> <a href={`/serving/${seg(e.name)}`}><strong>{e.name}</strong></a></> },
              { key: "traffic", title: "traffic", cell: (e) => <TrafficBar variants={e.variants} thin /> },
              { key: "versions", title: "versions", cell: (e) => e.variants.filter((v) => v.weight > 0).map((v) => `v${v.version} ${percent(v.weight)}`).join(", ") },
              { key: "rollout", title: "rollout", cell: (e) => (e.rollout ? `${e.rollout.kind}, ${rolloutWord[e.rollout.state]}` : <span class="faint">none</span>) },
              { key: "requests", title: "requests", num: true, cell: (e) => count(e.requests) },
              { key: "errors", title: "errors", num: true, cell: (e) => (e.requests ? `${percent(e.errors / e.requests, 2)} (${count(e.errors)})` : "–") },
              { key: "p99", title: "p99", num: true, grow: true, cell: (e) => ms(e.variants.find((v) => v.weight > 0)?.latency_ms.p99 ?? null) },
            ]} />
          )}
        </Page>
      )}
    </Loaded>
  );
}
