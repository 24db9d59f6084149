// The frame around every page: top bar, the lifecycle on the left, search, help.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, useApi } from "../api/client";
import { live } from "../api/live";
import type { Overview } from "../api/types";
import { Icon } from "../components/Icon";
import { useKeys } from "../lib/keys";
import { navigate, path } from "../lib/router";
import { theme, toggleTheme } from "../lib/theme";
import { Help } from "./Help";
import { placeOfKind, places } from "./places";
import { Search } from "./Search";
import "./Frame.css";

const liveWord = { live: "live", paused: "paused while hidden", off: "not connected" };

export function Frame({ children }: { children: ComponentChildren }) {
  const overview = useApi<Overview>(api("/overview")).data;
  const [help, setHelp] = useState(false);
  const nav = useRef<HTMLElement>(null);
  const at = path.value;
  const here = (href: string) => (href === "/" ? at === "/" : at === href || at.startsWith(`${href}/`) || (href === "/runs" && at === "/compare"));
  useKeys({
    ...Object.fromEntries(places.map((p) => [`g ${p.key}`, () => navigate(p.href)])),
    "/": (e: KeyboardEvent) => {
      e.preventDefault();
      document.getElementById("search")?.focus();
    },
    "?": () => setHelp(true),
  });
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [at]);
  const attention = new Set(overview?.waiting.map((w) => placeOfKind[w.kind]));
  return (
    <div class="frame">
      <a class="skip" href="#main">to the content</a>
      <header class="top">
        <a class="brand" href="/">
          <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true"><g fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round"><path d="M16 5a11 11 0 1 1-9.5 5.5" /><path d="M6 4.5v6.5h6.5" /></g><circle cx="16" cy="16" r="3.5" fill="currentColor" /></svg>
          rondo
        </a>
        {overview?.project && <span class="top-project clip">{overview.project}</span>}
        <Search />
        <div class="top-end">
          <span class={`live live-${live.value}`} title={`updates: ${liveWord[live.value]}`}>
            <i aria-hidden="true" />
            <span class="live-word">{live.value === "live" ? "live" : live.value === "paused" ? "paused" : "offline"}</span>
          </span>
          <button type="button" class="top-button" onClick={toggleTheme} aria-label={theme.value === "dark" ? "light theme" : "dark theme"}><Icon name={theme.value === "dark" ? "sun" : "moon"} /></button>
          <button type="button" class="top-button" onClick={() => setHelp(true)} aria-label="keyboard help"><Icon name="help" /></button>
          {overview?.user && <a class="top-user clip" href="/access" title="you act as">{overview.user}</a>}
        </div>
      </header>
      <nav class="side" aria-label="lifecycle" ref={nav}>
        <ul>
          {places.map((p) => (
            <li key={p.href}>
              <a href={p.href} {...(here(p.href) ? { "aria-current": "page" as const } : {})}>
                <Icon name={p.icon} />
                {p.name}
                {attention.has(p.href) && <span class="side-dot" role="img" aria-label="something waits for a person" />}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main class="main" id="main" tabIndex={-1}>{children}</main>
      {help && <Help close={() => setHelp(false)} />}
    </div>
  );
}
