// One column in one window: its distribution against the reference, and the numbers that decided.
import { api, seg, useApi } from "../../api/client";
import type { Distribution as Counts, MonitorColumn, MonitorView } from "../../api/types";
import { Distribution } from "../../components/Bars";
import { Section } from "../../components/Page";
import { StateMark } from "../../components/StateMark";
import { count, metric, percent, toNumber } from "../../lib/format";

export function labelsOf(d: Counts): string[] {
  if (d.labels?.length) return d.labels;
  const e = d.edges ?? [];
  return e.slice(0, -1).map((low, i) => (i === 0 && !Number.isFinite(low) ? `< ${metric(e[1] ?? 0, 2)}` : metric(low, 2)));
}

export function CellDetail({ endpoint, column, window, limits, version }: { endpoint: string; column: MonitorColumn; window: number; limits: MonitorView["limits"]; version: number }) {
  const view = useApi<MonitorView>(api(`/endpoints/${seg(endpoint)}/monitor`, { window, version })).data;
  const found = view && [...view.columns, view.scores, view.decisions].find((c) => c?.name === column.name);
  const d = view && view.shown === window ? found?.distribution : undefined;
  const cell = column.windows.find((w) => w.index === window);
  const effect = toNumber(cell?.effect ?? cell?.psi);
  const q = toNumber(cell?.q);
  const big = effect >= limits.effect;
  const sure = q < limits.q;
  const text = !cell || cell.verdict === "few" ? "Not enough rows in this window to judge." : cell.verdict === "drift" ? "Alarm: the change is both significant and material." : cell.verdict === "quality" ? "Alarm: the values themselves are bad." : sure && !big ? "Significant, but too small to matter." : !sure && big ? "Large, but chance explains it." : "No drift.";
  return (
    <Section title={`${column.name} in window ${window}`} note={column.type}>
      <div class="cols">
        <div>{d ? <Distribution reference={d.reference} window={d.window} labels={labelsOf(d)} /> : view ? <p class="faint">There is no distribution of this column to draw.</p> : null}</div>
        <div class="stack">
          <p><StateMark state={!cell || cell.verdict === "few" || cell.verdict === "none" ? "idle" : cell.verdict === "ok" ? "ok" : "warn"} /> {text}</p>
          <dl class="cell-numbers">
            <div><dt>effect</dt><dd class={big ? "warn" : ""}>{metric(effect, 3)} <span class="small dim">material from {metric(limits.effect, 2)}</span></dd></div>
            <div><dt>q</dt><dd>{metric(q, 4)} <span class="small dim">significant below {limits.q}</span></dd></div>
            <div><dt>p</dt><dd>{metric(cell?.p, 4)} <span class="small dim">before correction</span></dd></div>
            {cell?.effect !== undefined && <div><dt>PSI</dt><dd>{metric(cell.psi, 3)} <span class="small dim">before chance is taken off</span></dd></div>}
            <div><dt>rows</dt><dd>{count(cell?.rows ?? 0)}</dd></div>
            {cell?.nulls !== undefined && <div><dt>missing</dt><dd>{percent(cell.nulls, 1)}</dd></div>}
            {cell?.unseen !== undefined && <div><dt>unseen values</dt><dd>{percent(cell.unseen, 1)}</dd></div>}
          </dl>
        </div>
      </div>
    </Section>
  );
}
