// Where a thing's page is, and how it is called for short.
import type { Ref } from "../api/types";
import { short } from "./format";

const part = encodeURIComponent;
const parts = (id: string) => id.split("/").map(part).join("/");

export function hrefOf(ref: Ref): string {
  switch (ref.kind) {
    case "dataset": return ref.id.includes("/") ? `/data/${parts(ref.id)}` : /^[0-9a-f]{32}$/.test(ref.id) ? `/lineage/dataset/${ref.id}` : `/data/${part(ref.id)}`;
    case "run": return `/runs/${part(ref.id)}`;
    case "pipeline_run": return `/pipeline/${part(ref.id)}`;
    case "version": return `/models/${parts(ref.id)}`;
    case "model": return `/models/${part(ref.id)}`;
    case "endpoint": return `/serving/${part(ref.id)}`;
    case "actor": return `/govern?actor=${part(ref.id)}`;
    case "audit": return `/govern?seq=${part(ref.id)}`;
    default: return `/lineage/${ref.kind}/${part(ref.id)}`;
  }
}

export function labelOf(ref: Ref): string {
  if (ref.label) return ref.label;
  if (ref.kind === "version") return ref.id.replace("/", " v");
  if (ref.kind === "dataset" && ref.id.includes("/")) return ref.id.replace("/", " v");
  if (ref.kind === "audit") return `#${ref.id}`;
  return short(ref.id);
}

export const kindName: Record<Ref["kind"], string> = {
  dataset: "dataset version", commit: "commit", config: "config", run: "run", pipeline_run: "pipeline run", version: "model version", model: "model",
  endpoint: "endpoint", prediction: "prediction", alarm: "alarm", label: "label", actor: "actor", audit: "audit entry",
};
