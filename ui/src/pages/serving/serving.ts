// What the serving pages share.
import type { Endpoint, Rollout, State, Verdict } from "../../api/types";
import { metric, percent, seconds } from "../../lib/format";

export const rolloutWord: Record<Rollout["state"], string> = { running: "running", paused: "paused", waiting: "waits for approval", promoted: "promoted", rolled_back: "rolled back", aborted: "aborted" };
export const rolloutState: Record<Rollout["state"], State> = { running: "busy", paused: "warn", waiting: "warn", promoted: "ok", rolled_back: "bad", aborted: "warn" };
export const isOpen = (r: Rollout | undefined): boolean => r !== undefined && (r.state === "running" || r.state === "paused" || r.state === "waiting");

export function verdictOf(e: Endpoint): Verdict {
  const main = e.variants.reduce<Endpoint["variants"][number] | undefined>((a, b) => (!a || b.weight > a.weight ? b : a), undefined);
  if (e.problem) return { state: "bad", text: e.problem };
  if (!main) return { state: "bad", text: `${e.name} has no version to answer with` };
  const r = e.rollout;
  if (r && isOpen(r)) {
    const share = r.steps[Math.min(r.step, r.steps.length - 1)];
    const failing = r.guards.filter((g) => g.verdict === "fail");
    const open = r.guards.filter((g) => g.verdict === "inconclusive");
    const left: string[] = [];
    if (r.hold.requests > r.progress.requests) left.push(`${metric(r.hold.requests - r.progress.requests)} requests`);
    if (r.hold.time_ms > r.progress.time_ms) left.push(seconds((r.hold.time_ms - r.progress.time_ms) / 1000));
    const judged = failing.length ? `${failing[0]?.guard} fails` : open.length ? `${open.length} of ${r.guards.length} guards ${open.length === 1 ? "needs" : "need"} more samples` : r.guards.length ? `all ${r.guards.length} guards pass` : "no guards";
    return { state: failing.length ? "bad" : r.state === "running" ? "busy" : "warn", text: `v${r.to} ${r.kind === "shadow" ? "shadows" : `has ${percent(share ?? 0)} of the traffic beside`} v${r.from ?? main.version}; ${judged}${r.state !== "running" ? `; ${rolloutWord[r.state]}` : left.length ? `; next step after ${left.join(" and ")}` : ""}` };
  }
  const share = e.requests ? e.errors / e.requests : 0;
  if (share > 0.01) return { state: "warn", text: `v${main.version} answers, but ${percent(share, 2)} of the requests fail` };
  return { state: "ok", text: `v${main.version} answers all traffic${e.requests ? (e.errors ? `; ${percent(share, 2)} errors` : "; no errors") : "; no request yet"}${r && r.state === "rolled_back" ? `; v${r.to} was rolled back${r.why ? `: ${r.why}` : ""}` : ""}` };
}
