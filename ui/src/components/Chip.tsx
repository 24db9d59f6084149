// A thing with an id: always this shape, always a link, always copyable.
import { useState } from "preact/hooks";
import type { Ref } from "../api/types";
import { versionColour } from "../lib/colour";
import { copyText } from "../lib/copy";
import { hrefOf, kindName, labelOf } from "../lib/refs";
import { Icon } from "./Icon";
import "./Chip.css";

const sigil: Partial<Record<Ref["kind"], string>> = { commit: "git", dataset: "data", pipeline_run: "pipe", prediction: "pred", run: "run", alarm: "alarm", config: "conf", label: "label", endpoint: "at" };

export function Chip({ value, bare }: { value: Ref; bare?: boolean }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (await copyText(value.id)) {
      setCopied(true);
      setTimeout(() => setCopied(false), 1200);
    }
  };
  const [model = "", number] = value.id.split("/");
  const label = labelOf(value);
  return (
    <span class={`chip chip-${value.kind}`}>
      {value.kind === "version" && number && <span class="chip-dot" style={{ background: versionColour(model, Number(number)) }} />}
      <a href={hrefOf(value)} title={`${kindName[value.kind]} ${value.id}`}>
        {!bare && sigil[value.kind] && <span class="chip-kind">{sigil[value.kind]} </span>}
        {label}
      </a>
      <button type="button" class="chip-copy" aria-label={copied ? "copied" : `copy ${kindName[value.kind]} ${label}`} onClick={() => void copy()}>
        <Icon name={copied ? "check" : "copy"} size={12} />
      </button>
    </span>
  );
}

export function Chips({ items, empty = "none" }: { items: Ref[]; empty?: string }) {
  if (!items.length) return <span class="faint">{empty}</span>;
  return (
    <span class="chips">
      {items.map((ref) => (
        <Chip key={`${ref.kind} ${ref.id}`} value={ref} />
      ))}
    </span>
  );
}
export const VersionChip = ({ model, version }: { model: string; version: number }) => <Chip value={{ kind: "version", id: `${model}/${version}` }} />;
export const Actor = ({ name }: { name: string }) => (name ? <Chip value={{ kind: "actor", id: name }} /> : <span class="faint">–</span>);
