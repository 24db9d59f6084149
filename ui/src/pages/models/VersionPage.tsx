// One model version: may it serve, how good is it, for whom, why, made from what.
import { api, post, seg, useApi } from "../../api/client";
import type { Json, VersionDetail, Verdict } from "../../api/types";
import { BarList } from "../../components/Bars";
import { AskButton } from "../../components/Button";
import { Actor, Chip } from "../../components/Chip";
import { GateTable } from "../../components/Gates";
import { IntervalBar, rangeOf } from "../../components/IntervalBar";
import { Lineage3 } from "../../components/Lineage3";
import { Markdown } from "../../components/Markdown";
import { Facts, Loaded, Page, Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { Time } from "../../components/Time";
import { bytes, metric, plural, short, signed, tiny, toNumber } from "../../lib/format";
import { lowerIsBetter } from "../runs/runs";
import { useState } from "preact/hooks";
import { Fairness, Slices } from "./Slices";
import { metricOrder } from "./models";
import "./VersionPage.css";

function verdictOf(v: VersionDetail): Verdict {
  const failed = v.gates.filter((g) => !g.passed && !g.warn);
  const aliases = v.aliases.map((a) => `@${a}`).join(", ");
  const is = aliases ? ` is ${aliases}` : "";
  if (failed.length) return { state: "bad", text: `v${v.version}${is || " may not serve"}: ${plural(failed.length, "gate")} of ${v.gates.length} ${failed.length === 1 ? "fails" : "fail"}` };
  const valid = v.approvals.filter((a) => a.valid && a.decision === "approved").length;
  if (v.approvals_needed > valid) return { state: "warn", text: `v${v.version}${is}${is ? " and" : ""} passes its gates; ${plural(v.approvals_needed - valid, "approval")} missing` };
  const k = metricOrder([v])[0];
  return { state: "ok", text: `v${v.version}${is} ${aliases ? "and " : ""}passes all ${v.gates.length ? `${v.gates.length} gates` : "checks"}${k ? `, ${k} ${metric(v.metrics[k]?.value)}` : ""}${v.endpoints.length ? `; serves ${v.endpoints.join(", ")}` : ""}` };
}

function pairs(x: Json | undefined): { label: string; value: number }[] {
  if (Array.isArray(x)) {
    return x.flatMap((i) => {
      if (i && typeof i === "object" && !Array.isArray(i)) {
        const label = i["feature"] ?? i["column"] ?? i["name"];
        const value = i["importance"] ?? i["value"] ?? i["mean"];
        return typeof label === "string" && typeof value === "number" ? [{ label, value }] : [];
      }
      return [];
    });
  }
  if (x && typeof x === "object") return Object.entries(x).flatMap(([label, value]) => (typeof value === "number" ? [{ label, value }] : []));
  return [];
}

export function VersionPage({ args }: { args: Record<string, string> }) {
  const name = args["model"] ?? "";
  const number = args["version"] ?? "";
  const [role, setRole] = useState("");
  const data = useApi<VersionDetail>(api(`/models/${seg(name)}/${seg(number)}`));
  return (
    <Loaded from={data} title={`${name} v${number}`}>
      {(v) => {
        const keys = metricOrder([v]);
        const importance = pairs(v.facts["importance"]).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 12);
        const url = api(`/models/${seg(v.name)}/${v.version}/approvals`);
        const here = v.aliases.includes("champion");
        const signature = v.facts["signature"];
        const inputs = signature && typeof signature === "object" && !Array.isArray(signature) ? signature["inputs"] : undefined;
        return (
          <Page title={`${v.name} v${v.version}`} crumbs={<><a href="/models">Models</a> / <a href={`/models/${seg(v.name)}`}>{v.name}</a> / v{v.version}</>} verdict={verdictOf(v)}
            action={<>
              <AskButton label="Reject" what={`Records that ${v.name} v${v.version} (${short(v.digest, 12)}) must not serve.`} needsReason act={(reason) => post(url, { decision: "rejected", reason })} />
              <AskButton label="Approve" what={`Binds your approval to the bytes of ${v.name} v${v.version}: ${short(v.digest, 12)}. Other bytes void it.`} act={(reason) => post(url, { decision: "approved", reason, role: v.roles.includes(role) ? role : (v.roles[0] ?? "") })}>
                {v.roles.length > 0 && (
                  <label class="row"><span class="small dim">as</span><select class="input" value={role} onChange={(e) => setRole(e.currentTarget.value)}>{v.roles.map((r) => <option key={r} value={r}>{r}</option>)}</select></label>
                )}
              </AskButton>
              {!here && <AskButton kind="main" label="Make champion" needsReason what={`Moves @champion of ${v.name} to v${v.version}. Endpoints that follow it switch without a failed request.`} act={(reason) => post(api(`/models/${seg(v.name)}/aliases/champion`), { version: v.version, reason })} />}
            </>}>
            <Section title="Lineage"><Lineage3 columns={[["data and code", v.lineage.data], ["run", v.lineage.run], ["model", [{ kind: "version", id: `${v.name}/${v.version}` }]], ["serves", v.lineage.serves]]} /></Section>
            <div class="cols">
              <Section title="Gates" note="the problem's success criteria"><GateTable gates={v.gates} /></Section>
              <Section title="Figures on the test part" note={v.champion ? `mark: champion v${v.champion.version}` : "with 95% intervals"}>
                {keys.length === 0 ? <p class="faint">Not evaluated.</p> : (
                  <table class="stats version-figures">
                    <tbody>
                      {keys.map((k) => {
                        const mine = v.metrics[k];
                        const theirs = v.champion?.metrics[k];
                        if (!mine) return null;
                        const by = toNumber(mine.value) - toNumber(theirs?.value);
                        const good = lowerIsBetter(k) ? by < 0 : by > 0;
                        return (
                          <tr key={k}>
                            <th scope="row">{k}</th>
                            <td class="num">{metric(mine.value)}</td>
                            <td class={`num small ${good ? "ok" : "bad"}`}>{Number.isFinite(by) && !tiny(by) ? signed(by) : ""}</td>
                            <td class="version-bar"><IntervalBar label={k} value={mine} range={rangeOf([mine, ...(theirs ? [theirs] : [])])} {...(theirs ? { mark: toNumber(theirs.value) } : {})} /></td>
                            <td class="num small faint">{mine.low !== undefined && mine.high !== undefined ? `${metric(mine.low, 3)} to ${metric(mine.high, 3)}` : ""}</td>
                          </tr>
                        );
                      })}
                    </tbody>
                  </table>
                )}
              </Section>
            </div>
            <div class="cols cols-wide">
              <Slices slices={v.facts["slices"]} metric={keys[0] ?? ""} overall={toNumber((keys[0] && v.metrics[keys[0]]?.value) || null)} />
              <Fairness fairness={v.facts["fairness"]} />
              {importance.length > 0 && <Section title="What it looks at" note="loss of the main figure when a column is shuffled"><BarList items={importance} /></Section>}
            </div>
            <div class="cols">
              <Section title="Approvals" note={v.approvals_needed ? `${v.approvals_needed} needed` : "the policy wants none"}>
                {v.approvals.length === 0 ? <p class="faint">Nobody has signed yet. <code>rondo approve {v.name}/{v.version}</code></p> : (
                  <ul class="lines">
                    {v.approvals.map((a) => (
                      <li key={`${a.actor} ${a.time}`}>
                        <StateMark state={!a.valid ? "idle" : a.decision === "approved" ? "ok" : "bad"} title={a.valid ? a.decision : "void: other bytes"} />
                        <span class="lines-text"><Actor name={a.actor} /> {a.decision}{a.role && <span class="dim"> as {a.role}</span>}{a.reason && <span class="dim"> · {a.reason}</span>}{!a.valid && <span class="warn"> · void, the bytes have changed</span>}</span>
                        <span class="small dim"><Time at={a.time} /></span>
                      </li>
                    ))}
                  </ul>
                )}
              </Section>
              <Section title="Facts">
                <Facts items={[
                  ["digest", <code class="version-hash">{v.digest || "–"}</code>],
                  ["made", <><Time at={v.time} exact /> by <Actor name={v.user} /></>],
                  ["run", v.run_id ? <Chip value={{ kind: "run", id: v.run_id }} /> : "–"],
                  ...(["task", "algorithm", "threshold", "rows", "commit", "config_hash", "seed", "trigger"] as const).flatMap((k): [string, preact.ComponentChildren][] => {
                    const x = v.facts[k];
                    return x === undefined || x === null || x === "" || typeof x === "object" ? [] : [[k.replace("_", " "), k === "commit" ? <Chip value={{ kind: "commit", id: String(x) }} /> : typeof x === "number" ? metric(x) : <code>{String(x)}</code>]];
                  }),
                ]} />
              </Section>
            </div>
            {Array.isArray(inputs) && inputs.length > 0 && (
              <Section title="Schema" note={plural(inputs.length, "input column")}>
                <p class="version-schema">{inputs.map((i) => (i && typeof i === "object" && !Array.isArray(i) ? <span key={String(i["name"])}><code>{String(i["name"])}</code> <span class="faint">{String(i["type"])}</span></span> : null))}</p>
              </Section>
            )}
            {v.files.length > 0 && (
              <Section title="Files">
                <Table label="files" keys={false} rows={v.files} id={(f) => f.path} columns={[
                  { key: "path", title: "file", cell: (f) => (v.run_id ? <a href={`/runs/${v.run_id}?file=${encodeURIComponent(f.path)}`}><code>{f.path}</code></a> : <code>{f.path}</code>) },
                  { key: "size", title: "size", num: true, cell: (f) => bytes(f.size) },
                  { key: "hash", title: "SHA-256", grow: true, cell: (f) => <code class="dim">{f.sha256 ?? "–"}</code> },
                ]} />
              </Section>
            )}
            <Section title="Card" id="card">{v.card ? <Markdown text={v.card} /> : <p class="faint">No card yet: <code>rondo card {v.name}/{v.version}</code> fills one from the evidence.</p>}</Section>
          </Page>
        );
      }}
    </Loaded>
  );
}
