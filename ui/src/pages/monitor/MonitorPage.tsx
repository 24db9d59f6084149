// What comes in against what the model was trained on: columns × windows, the numbers that decided, performance, alarms.
import { api, seg, useApi } from "../../api/client";
import type { Alarm, Endpoint, MonitorView, Verdict } from "../../api/types";
import { HeatKey, HeatMap } from "../../components/HeatMap";
import { Loaded, Page, Section } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { count, list, metric, percent, plural, toNumber } from "../../lib/format";
import { arg, navigate, setQuery } from "../../lib/router";
import { Alarms } from "./Alarms";
import { CellDetail } from "./CellDetail";
import { Performance } from "./Performance";
import "./MonitorPage.css";

export function verdictOf(m: MonitorView, alarms: Alarm[]): Verdict {
  const closed = m.list.filter((w) => w.closed);
  const last = closed[closed.length - 1];
  if (!m.rows) return { state: "idle", text: "No prediction has been seen yet" };
  if (!last) return { state: "idle", text: `${count(m.rows)} predictions so far; the first window closes at ${m.window.rows ? `${count(m.window.rows)} rows` : "the end of its time"}` };
  const drifting = m.columns.filter((c) => c.windows.find((w) => w.index === last.index)?.verdict === "drift").map((c) => c.name);
  const quality = m.columns.filter((c) => c.windows.find((w) => w.index === last.index)?.verdict === "quality").map((c) => c.name);
  const open = alarms.filter((a) => a.state === "open" && a.kind === "performance" && a.version === m.version);
  const labelled = m.performance[m.performance.length - 1];
  const perf = labelled && Number.isFinite(toNumber(labelled.value)) ? `; ${labelled.metric} ${metric(labelled.value, 3)} on ${percent(labelled.labelled / (labelled.rows || 1))} labelled` : "; no labels yet";
  const parts: string[] = [];
  if (drifting.length) parts.push(`${list(drifting)} ${drifting.length === 1 ? "drifts" : "drift"}`);
  if (quality.length) parts.push(`${list(quality)} ${quality.length === 1 ? "has" : "have"} bad values`);
  if (open.length) parts.push("performance is below its limit");
  return { state: open.length ? "bad" : parts.length ? "warn" : "ok", text: (parts.length ? `v${m.version}: ${parts.join(", ")} in window ${last.index}` : `v${m.version} sees the data it was trained for: ${plural(m.columns.length, "column")} over ${plural(closed.length, "window")}`) + perf };
}

export function MonitorPage({ args }: { args: Record<string, string> }) {
  const endpoints = useApi<Endpoint[]>(api("/endpoints"));
  const name = args["endpoint"] ?? endpoints.data?.[0]?.name;
  const view = useApi<MonitorView>(name ? api(`/endpoints/${seg(name)}/monitor`, { version: arg("version") }) : null);
  const alarms = useApi<Alarm[]>(name ? api(`/endpoints/${seg(name)}/alarms`) : null).data ?? [];
  if (!name) {
    return (
      <Loaded from={endpoints} title="Monitor">
        {() => (
          <Page title="Monitor" verdict={{ state: "idle", text: "Nothing is served, so there is nothing to watch" }}>
            <Empty text="Every endpoint is watched from its first prediction. Deploy one:" code="rondo run deploy" />
          </Page>
        )}
      </Loaded>
    );
  }
  return (
    <Loaded from={view} title="Monitor">
      {(m) => {
        const windows = m.list.slice(-60);
        const rows = [...m.columns, ...[m.scores, m.decisions].filter((c) => c !== undefined)];
        const [column, window] = arg("cell").split("@");
        const selected = column && window ? { column, window: Number(window) } : undefined;
        const found = selected && rows.find((c) => c.name === selected.column);
        return (
          <Page title="Monitor" crumbs={<><a href="/monitor">Monitor</a> / {name}</>} verdict={verdictOf(m, alarms)}
            action={(endpoints.data?.length ?? 0) > 1 && (
              <label class="row small"><span class="dim">endpoint</span>
                <select class="input" value={name} onChange={(e) => navigate(`/monitor/${seg(e.currentTarget.value)}`)}>{endpoints.data?.map((e) => <option key={e.name} value={e.name}>{e.name}</option>)}</select>
              </label>
            )}>
            {m.rows === 0 ? <Empty text="Send a row and it is counted here:" code={`curl ${location.origin}/endpoints/${name}/invocations -H 'Content-Type: application/json' -d '{"dataframe_records": [{…}]}'`} more="The serving page has the whole line, filled in." /> : (
              <>
                <Section title="Columns by windows" note={`${count(m.rows)} predictions, ${m.window.rows ? `windows of ${count(m.window.rows)} rows` : "windows by time"}; alarm when significant (q < ${m.limits.q}) and PSI ≥ ${m.limits.effect}`}>
                  {windows.length === 0 ? <p class="faint">Not enough data: the first window is still open.</p> : (
                    <>
                      <HeatMap columns={rows} windows={windows} effect={m.limits.effect} selected={selected} onSelect={(c, w) => setQuery({ cell: selected && selected.column === c && selected.window === w ? null : `${c}@${w}` })} />
                      <HeatKey effect={m.limits.effect} />
                    </>
                  )}
                </Section>
                {found && selected && <CellDetail endpoint={name} column={found} window={selected.window} limits={m.limits} version={m.version} />}
                <Performance view={m} />
              </>
            )}
            <Alarms alarms={alarms} />
          </Page>
        );
      }}
    </Loaded>
  );
}
