// What the pipeline pages share.
import type { PipelineRun, Ref, StageRun, State, Verdict } from "../../api/types";
import { ago, list, plural, seconds } from "../../lib/format";

export const stageState: Record<StageRun["status"], State> = { waiting: "idle", running: "busy", succeeded: "ok", failed: "bad", skipped: "ok", restored: "ok", cancelled: "warn" };
export const runState: Record<PipelineRun["status"], State> = { running: "busy", succeeded: "ok", failed: "bad", cancelled: "warn" };
/** "alarm:ID" is a thing; other causes are words. */
export const causeRef = (cause: string | undefined): Ref | undefined => (cause?.startsWith("alarm:") ? { kind: "alarm", id: cause.slice(6) } : undefined);
export function startedBy(r: PipelineRun): string {
  if (r.trigger === "manual" || r.trigger === "api") return `started by ${r.actor ?? "hand"}`;
  return r.trigger === "cron" ? "started by the schedule" : r.trigger === "data" ? "started by new data" : `started for ${r.trigger}`;
}
export const wallSeconds = (r: PipelineRun) => ((r.ended ?? Date.now()) - r.started) / 1000;

export function verdictOf(r: PipelineRun): Verdict {
  const ran = r.stages.filter((s) => s.status === "succeeded").length;
  const kept = r.stages.filter((s) => s.status === "skipped" || s.status === "restored").length;
  const by = startedBy(r);
  if (r.status === "running") {
    const now = r.stages.filter((s) => s.status === "running").map((s) => s.name);
    return { state: "busy", text: `${now.length ? `${list(now)} ${now.length === 1 ? "runs" : "run"}` : "Starting"}; ${ran + kept} of ${r.stages.length} stages done, ${by}` };
  }
  if (r.status === "failed") {
    const bad = r.stages.find((s) => s.status === "failed");
    return { state: "bad", text: `${bad ? `${bad.name} failed${bad.summary ? `: ${bad.summary}` : ""}` : "Failed"}; ${by}` };
  }
  if (r.status === "cancelled") return { state: "warn", text: `Cancelled after ${seconds(wallSeconds(r))}; ${by}` };
  return { state: "ok", text: `${ran ? plural(ran, "stage") + " ran" : "Nothing had to run"}${kept ? `, ${kept} unchanged` : ""}; done in ${seconds(wallSeconds(r))}, ${by} ${ago(r.started)}` };
}
