// The head of every page: one sentence of verdict, the main action, a rule. And the states of a page that has nothing to show.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Resource } from "../api/client";
import type { ApiError, Verdict } from "../api/types";
import { StateMark } from "./StateMark";
import "./Page.css";

export function Page({ title, verdict, crumbs, action, children }: { title: string; verdict: Verdict; crumbs?: ComponentChildren; action?: ComponentChildren; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · Rondo`;
  }, [title]);
  return (
    <>
      <header class="page-head">
        <div class="page-words">
          <p class="page-crumbs">{crumbs ?? title}</p>
          <h1>
            <StateMark state={verdict.state} size={18} /> {verdict.text}
          </h1>
        </div>
        {action && <div class="page-action row">{action}</div>}
      </header>
      {children}
    </>
  );
}

/** Renders the data, or why there is none. */
export function Loaded<T>({ from, title, children }: { from: Resource<T>; title: string; children: (data: T) => ComponentChildren }) {
  if (from.data !== undefined) {
    return (
      <>
        {from.error && <Problem error={from.error} />}
        {children(from.data)}
      </>
    );
  }
  if (from.error) {
    return (
      <Page title={title} verdict={{ state: "bad", text: from.error.message }}>
        {from.error.hint && <p class="dim">{from.error.hint}</p>}
      </Page>
    );
  }
  return (
    <Page title={title} verdict={{ state: "idle", text: title }}>
      <p class="faint page-loading">Loading…</p>
    </Page>
  );
}

export function Problem({ error }: { error: ApiError }) {
  return (
    <p class="problem" role="alert">
      <StateMark state="bad" /> {error.message}
      {error.hint && <span class="dim"> {error.hint}</span>}
    </p>
  );
}

export function Section({ title, note, action, children, id }: { title: string; note?: ComponentChildren; action?: ComponentChildren; children?: ComponentChildren; id?: string }) {
  return (
    <section class="section" id={id} aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {note && <span class="section-note">{note}</span>}
        {action && <span class="push row">{action}</span>}
      </div>
      {children}
    </section>
  );
}

/** Label and value pairs. */
export function Facts({ items }: { items: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
