// Home: the rondo itself, what waits for a person, and what happened lately.
import { api, useApi } from "../../api/client";
import type { Overview } from "../../api/types";
import { Empty } from "../../components/Snippet";
import { EventList } from "../../components/EventList";
import { Loaded, Page, Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { Chip } from "../../components/Chip";
import { StartRun } from "../pipeline/StartRun";
import { Ring } from "./Ring";
import { Served } from "./Served";
import "./LoopPage.css";

export function LoopPage() {
  const overview = useApi<Overview>(api("/overview"));
  return (
    <Loaded from={overview} title="Loop">
      {(o) => {
        const fresh = o.stages.every((s) => s.state === "idle" || s.name === "problem");
        return (
          <Page title="Loop" verdict={o.verdict} action={<StartRun />}>
            <Ring stages={o.stages} />
            {fresh ? (
              <Section title="The first round">
                <Empty text={o.project ? "Nothing has run yet. One command takes the data to a served model:" : "This server has no project. In a folder with your data:"} code={o.project ? "rondo run" : "rondo init data.csv --target churn\nrondo run\nrondo up"} more="Each stage reports here as it finishes; nothing needs to be reloaded." />
              </Section>
            ) : (
              <div class="cols loop-cols">
                <div>
                <Section title="Waiting for a person" note={o.waiting.length ? `${o.waiting.length}` : undefined}>
                  {o.waiting.length === 0 ? (
                    <p class="faint">Nothing. Approvals, failed gates and alarms would stand here.</p>
                  ) : (
                    <ul class="lines">
                      {o.waiting.map((w) => (
                        <li key={`${w.kind} ${w.ref.kind} ${w.ref.id}`}>
                          <StateMark state={w.kind === "gate" || w.kind === "run" ? "bad" : "warn"} title={w.kind} />
                          <span class="lines-text">{w.text}</span>
                          <Chip value={w.ref} />
                          <span class="small dim"><Time at={w.time} /></span>
                        </li>
                      ))}
                    </ul>
                  )}
                </Section>
                <Served />
                </div>
                <Section title="Lately" action={<a class="small" href="/govern">the whole audit log</a>}>
                  <EventList events={o.events} />
                </Section>
              </div>
            )}
          </Page>
        );
      }}
    </Loaded>
  );
}
