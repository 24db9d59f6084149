// The story page: every component in every state. Photographed in the tests, in both themes.
import type { Gate, LoopStage, MonitorCell, Ref, State, Variant } from "../../api/types";
import { AliasBand } from "../../components/AliasBand";
import { BarList, Distribution, Spark, TopValues } from "../../components/Bars";
import { AskButton, Button } from "../../components/Button";
import { Chips } from "../../components/Chip";
import { GateMarks, GateTable } from "../../components/Gates";
import { HeatKey, HeatMap } from "../../components/HeatMap";
import { IntervalBar } from "../../components/IntervalBar";
import { LineChart } from "../../components/LineChart";
import { Lineage3 } from "../../components/Lineage3";
import { Markdown } from "../../components/Markdown";
import { Page, Problem, Section } from "../../components/Page";
import { Empty, Snippets } from "../../components/Snippet";
import { StateMark, stateWord } from "../../components/StateMark";
import { Table } from "../../components/Table";
import { TrafficBar } from "../../components/Traffic";
import { Ring } from "../loop/Ring";

const T0 = 1_790_000_000_000;
const hex = "9f3c27ab11de4805b6c1a0de77c4e210";
const states: State[] = ["ok", "busy", "warn", "bad", "idle"];
const gates: Gate[] = [
  { gate: "auc >= 0.83", value: 0.8471, limit: 0.83, passed: true, warn: false, why: "" },
  { gate: "recall >= 0.70", value: 0.688, limit: 0.7, passed: false, warn: false, why: "0.688 is below 0.70 on 1,409 test rows" },
  { gate: "brier <= 0.15", value: 0.156, limit: 0.15, passed: false, warn: true, why: "a warning: never blocks" },
  { gate: "recall[contract=Two year] >= 0.4", value: "NaN", limit: 0.4, passed: false, warn: false, why: "no positive row in this slice" },
];
const refs: Ref[] = [
  { kind: "dataset", id: "customers/3" }, { kind: "commit", id: hex }, { kind: "run", id: hex }, { kind: "pipeline_run", id: "p17" }, { kind: "version", id: "churn/7" }, { kind: "version", id: "churn/8" },
  { kind: "endpoint", id: "churn" }, { kind: "prediction", id: hex }, { kind: "alarm", id: "a12" }, { kind: "actor", id: "anna" }, { kind: "audit", id: "104" },
];
const stages: LoopStage[] = (["problem", "data", "prepare", "build", "test", "deploy", "monitor", "feedback", "retrain"] as const).map((name, i) => ({ name, state: states[i % 5] as State, fact: ["3 gates", "v42", "18 → 41 columns", "run a1f3", "4 of 5 gates", "5% v8, 95% v7", "tenure PSI 0.31", "71% labelled", "queued 03:00"][i] as string, time: Date.now() - i * 600_000 }));
const variant = (version: number, weight: number): Variant => ({ role: weight > 0.5 ? "champion" : "challenger", model: "churn", version, weight, requests: 0, errors: 0, latency_ms: { p50: 0, p95: 0, p99: 0 } });
const cell = (index: number, psi: number, verdict: MonitorCell["verdict"]): MonitorCell => ({ index, rows: 1000, psi, p: 0.01, q: 0.02, verdict });
const wave = Array.from({ length: 120 }, (_, i) => i);

export function KitPage(_: { args: Record<string, string> }) {
  return (
    <Page title="Kit" verdict={{ state: "ok", text: "Every component in every state" }} crumbs="Story page" action={<><Button>Plain</Button><Button kind="main">Main</Button><Button kind="danger">Danger</Button><Button disabled>Disabled</Button><Button pressed>Pressed</Button><AskButton label="Ask" what="What would happen." needsReason act={async () => ({ error: { error_code: "CONFLICT", message: "somebody was faster" } })} /></>}>
      <Section title="States"><p class="row">{states.map((s) => <span key={s} class="row"><StateMark state={s} size={18} /> {s}: {stateWord[s]}</span>)}</p></Section>
      <Section title="Chips"><Chips items={refs} /></Section>
      <Section title="Ring"><Ring stages={stages} /></Section>
      <Section title="Problem and empty"><Problem error={{ error_code: "INVALID", message: "the filter can't be read at \"metrics.\"", hint: "write metrics.auc > 0.8" }} /><Empty text="Nothing here yet. One command fills it:" code="rondo run" more="A second line of help." /></Section>
      <div class="cols">
        <Section title="Gates"><p><GateMarks gates={gates} /></p><GateTable gates={gates} /></Section>
        <Section title="Intervals"><p><IntervalBar label="auc" value={{ value: 0.84, low: 0.82, high: 0.86 }} range={[0.8, 0.9]} mark={0.83} /></p><p><IntervalBar label="without interval" value={{ value: 0.84 }} range={[0.8, 0.9]} /></p><p><IntervalBar label="not a number" value={{ value: "NaN" }} range={[0, 1]} /></p></Section>
      </div>
      <Section title="Traffic"><div class="stack"><TrafficBar variants={[variant(7, 0.95), variant(8, 0.05)]} /><TrafficBar variants={[variant(7, 0.5), variant(9, 0.5)]} /><TrafficBar variants={[]} /><TrafficBar thin variants={[variant(7, 0.75), variant(8, 0.25)]} /></div></Section>
      <Section title="Alias band"><AliasBand model="churn" now={T0 + 900_000} history={[{ model: "churn", alias: "champion", to: 1, time: T0, actor: "anna", reason: "first" }, { model: "churn", alias: "champion", from: 1, to: 2, time: T0 + 400_000, actor: "rondo:rollout", reason: "promoted" }, { model: "churn", alias: "challenger", to: 3, time: T0 + 500_000, actor: "rondo:rollout", reason: "" }]} /></Section>
      <div class="cols">
        <LineChart title="two lines" lines={[{ label: "train", colour: "var(--c0)", x: wave, y: wave.map((i) => 0.6 * Math.exp(-i / 40) + 0.02 * Math.sin(i)) }, { label: "validation", colour: "var(--c1)", x: wave, y: wave.map((i) => 0.6 * Math.exp(-i / 45) + 0.08) }]} limit={{ value: 0.2, label: "limit 0.2" }} />
        <LineChart title="a gap, an interval" lines={[{ label: "auc", colour: "var(--c2)", x: wave.slice(0, 30), y: wave.slice(0, 30).map((i) => (i > 10 && i < 15 ? NaN : 0.8 + i / 500)), low: wave.slice(0, 30).map((i) => 0.77 + i / 500), high: wave.slice(0, 30).map((i) => 0.83 + i / 500) }]} />
        <LineChart title="nothing" lines={[]} />
      </div>
      <div class="cols">
        <Distribution reference={[10, 30, 40, 15, 5]} window={[4, 10, 30, 90, 66]} labels={["0", "12", "24", "48", "60"]} />
        <Distribution reference={[]} window={[]} labels={[]} />
        <TopValues total={100} items={[{ label: "Month-to-month", count: 55 }, { label: "", count: 3 }]} />
        <BarList items={[{ label: "tenure", value: 0.06 }, { label: "monthly_charges", value: -0.01 }]} />
        <p>spark <Spark counts={[1, 4, 9, 3, 1]} label="spark" /> empty <Spark counts={[]} label="empty" /></p>
      </div>
      <Section title="Columns by windows">
        <HeatMap effect={0.2} windows={[1, 2, 3, 4, 5, 6].map((index) => ({ index, start: 0, end: 0, rows: 1000, version: 1, closed: true }))} selected={{ column: "tenure", window: 5 }} onSelect={() => undefined}
          columns={[{ name: "tenure", type: "int", windows: [cell(1, 0.01, "ok"), cell(2, 0.06, "ok"), cell(3, 0.11, "ok"), cell(4, 0.24, "drift"), cell(5, 0.51, "drift"), cell(6, 0, "few")] }, { name: "contract", type: "category", windows: [cell(1, 0.01, "ok"), cell(2, 0.02, "quality")] }]} />
        <HeatKey effect={0.2} />
      </Section>
      <Section title="Lineage"><Lineage3 columns={[["data and code", refs.slice(0, 2)], ["run", refs.slice(2, 3)], ["model", refs.slice(4, 5)], ["serves", []]]} /></Section>
      <Section title="Rows"><Table label="example" rows={[1, 2, 3]} id={String} keys={false} selected={["2"]} onSelect={() => undefined} marked={(n) => n === 3} sort={{ key: "n", down: true }} onSort={() => undefined} columns={[{ key: "n", title: "number", num: true, sortable: true, cell: (n) => n }, { key: "t", title: "text", unit: "unit", grow: true, cell: (n) => `row ${n}` }]} /></Section>
      <Section title="Code"><Snippets items={[["curl", "curl http://127.0.0.1:5000/health"], ["Python", "import mlflow"]]} /></Section>
      <Section title="Markdown"><Markdown text={"# Model card\n\n**churn** v7 predicts `churn`.\n\n## Figures\n\n| metric | value |\n| --- | --- |\n| auc | 0.847 |\n\n- one\n- two\n\n```\ncode\n```"} /></Section>
    </Page>
  );
}
