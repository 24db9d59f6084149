// Approvals that wait, the problem's declaration, and the audit log with its proof.
import { useState } from "preact/hooks";
import { api, post, useApi } from "../../api/client";
import type { AuditEntry, AuditPage, AuditReport, Json, Policies, Project, Verdict } from "../../api/types";
import { verbOf, Words } from "../../components/EventList";
import { Button } from "../../components/Button";
import { Actor, Chip } from "../../components/Chip";
import { Facts, Loaded, Page, Section } from "../../components/Page";
import { Empty } from "../../components/Snippet";
import { StateMark } from "../../components/StateMark";
import { Time } from "../../components/Time";
import { count, list, plural } from "../../lib/format";
import { arg, setQuery } from "../../lib/router";
import { Diff } from "./Diff";
import "./Govern.css";

const text = (x: Json | undefined) => (typeof x === "string" ? x : typeof x === "number" ? String(x) : "");
const object = (x: Json | undefined) => (x && typeof x === "object" && !Array.isArray(x) ? x : {});

export function GovernPage() {
  const actor = arg("actor");
  const find = arg("object");
  const [before, setBefore] = useState(0);
  const [report, setReport] = useState<AuditReport>();
  const [busy, setBusy] = useState(false);
  const audit = useApi<AuditPage>(api("/audit", { limit: 100, actor, object: find, before: before || undefined }));
  const policies = useApi<Policies>(api("/policies")).data;
  const projects = useApi<Project[]>(api("/projects")).data;
  const problem = object(object(projects?.[0]?.config)["problem"]);
  const open = arg("seq");
  const pending = policies?.pending ?? [];
  const verify = async () => {
    setBusy(true);
    const answer = await post<AuditReport>(api("/audit/verify"));
    setBusy(false);
    if (answer.data) setReport(answer.data);
  };
  return (
    <Loaded from={audit} title="Govern">
      {(page) => {
        const verdict: Verdict = report?.faults.length
          ? { state: "bad", text: `The audit chain is damaged at ${list(report.faults.map((f) => `#${f.seq}`))}` }
          : pending.length
            ? { state: "warn", text: `${plural(pending.length, "approval")} ${pending.length === 1 ? "waits" : "wait"} for a person` }
            : page.entries.length
              ? { state: "ok", text: `Nothing waits for a signature; ${count(page.entries[0]?.seq ?? 0)} entries in the audit log${report ? ", all verified" : ""}` }
              : { state: "idle", text: "Nothing has been recorded yet" };
        return (
          <Page title="Govern" verdict={verdict} action={<Button kind="main" onClick={() => void verify()} disabled={busy}>{busy ? "Verifying…" : "Verify the audit log"}</Button>}>
            {report && (
              <div class={`report ${report.faults.length ? "report-bad" : ""}`} role="status">
                <p><StateMark state={report.faults.length ? "bad" : "ok"} /> {report.faults.length ? plural(report.faults.length, "fault") : `All ${count(report.entries)} entries are intact`}: every entry's hash was computed again from its text and the hash before it, in {report.milliseconds} ms.</p>
                <p class="small dim">newest hash <code>{report.head}</code></p>
                {report.faults.map((f) => <p key={`${f.seq}${f.what}`} class="bad">#{f.seq}: {f.what}</p>)}
              </div>
            )}
            <div class="cols">
              <Section title="Approvals waiting">
                {pending.length === 0 ? <p class="faint">None. {policies?.approvals.length ? null : <>A policy would be <code>govern: {"{approvals: {champion: {roles: [risk], count: 2}}}"}</code></>}</p> : (
                  <ul class="lines">{pending.map((p) => <li key={p.ref.id}><StateMark state="warn" title="waiting" /> <Chip value={p.ref} /> <span class="lines-text">{p.text}</span> <span class="dim">{p.have} of {p.need}</span> <span class="small dim"><Time at={p.time} /></span></li>)}</ul>
                )}
                {policies && policies.approvals.length > 0 && <p class="small dim" style={{ marginTop: "8px" }}>{policies.approvals.map((a) => `@${a.alias} needs ${plural(a.count, "approval")}${a.roles.length ? ` by ${a.roles.join(" or ")}` : ""}${a.not_author ? ", not by its author" : ""}`).join("; ")}</p>}
              </Section>
              {Object.keys(problem).length > 0 && (
                <Section title="The problem" note={projects?.[0]?.name}>
                  <Facts items={[
                    ["predicts", <><code>{text(problem["target"])}</code>{text(problem["positive"]) ? ` = ${text(problem["positive"])}` : ""} <span class="dim">{text(problem["task"])}</span></>],
                    ["success", Array.isArray(problem["success"]) && problem["success"].length ? <ul class="success">{problem["success"].map((g) => <li key={text(object(g)["text"])}><code>{object(g)["warn"] ? "warn: " : ""}{text(object(g)["text"])}</code></li>)}</ul> : <span class="warn">no criteria: nothing can fail</span>],
                    ...(["owner", "risk", "intended_use", "out_of_scope", "limitations"] as const).filter((k) => text(problem[k])).map((k): [string, preact.ComponentChildren] => [k.replaceAll("_", " "), text(problem[k])]),
                  ]} />
                </Section>
              )}
            </div>
            <Section title="Audit log" note={actor || find ? `only ${[actor, find].filter(Boolean).join(", ")}` : undefined}
              action={<>
                {(actor || find || before > 0) && <Button onClick={() => { setBefore(0); setQuery({ actor: null, object: null }); }}>Everything</Button>}
                <input class="input" aria-label="only this object" placeholder="version churn/7" value={find} onChange={(e) => setQuery({ object: e.currentTarget.value.trim() || null })} />
              </>}>
              {page.entries.length === 0 ? <Empty text="Every change of state is written here, each entry bound to the one before by its hash:" code="rondo audit show" /> : (
                <ol class="audit">{page.entries.map((e) => <Entry key={e.seq} entry={e} open={open === String(e.seq)} />)}</ol>
              )}
              {page.next > 0 && <p style={{ marginTop: "8px" }}><Button onClick={() => setBefore(page.next)}>Older</Button></p>}
            </Section>
          </Page>
        );
      }}
    </Loaded>
  );
}

function Entry({ entry: e, open }: { entry: AuditEntry; open: boolean }) {
  return (
    <li class={open ? "audit-open" : ""}>
      <div class="audit-line">
        <button type="button" class="audit-seq num" aria-expanded={open} aria-label={`entry ${e.seq}`} onClick={() => setQuery({ seq: open ? null : String(e.seq) })}>#{e.seq}</button>
        <span class="small dim audit-time"><Time at={e.time} /></span>
        <span class="audit-text"><Actor name={e.actor} /> <span title={e.action}>{verbOf(e.action, e.object)}</span> {e.ref ? <Chip value={e.ref} /> : <code>{e.object}</code>}{e.reason && <span class="dim"> · <Words text={e.reason} /></span>}</span>
        <code class="faint audit-hash">{e.hash.slice(0, 10)}</code>
      </div>
      {open && (
        <div class="audit-more">
          <Diff before={e.before} after={e.after} />
          <Facts items={[["time", <Time at={e.time} exact />], ["action", <code>{e.action}</code>], ["object", <code>{e.object}</code>], ["hash", <code>{e.hash}</code>], ["before it", <code>{e.prev_hash}</code>]]} />
        </div>
      )}
    </li>
  );
}
