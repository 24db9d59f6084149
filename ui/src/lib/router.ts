// The address bar is the state: path and query as signals, links by one click handler.
import { computed, signal } from "@preact/signals";

const here = signal(read());
function read() {
  return { path: location.pathname, search: location.search };
}
addEventListener("popstate", () => (here.value = read()));

export const path = computed(() => here.value.path);
export const query = computed(() => new URLSearchParams(here.value.search));

export function navigate(href: string, options: { replace?: boolean } = {}): void {
  const before = here.peek();
  if (options.replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  here.value = read();
  if (here.peek().path !== before.path) {
    scrollTo(0, 0);
    // A new page is announced by its heading, as a full load would be.
    queueMicrotask(() => document.getElementById("main")?.focus({ preventScroll: true }));
  }
}

/** The present address with some arguments changed; null or "" removes one. */
export function withQuery(changes: Record<string, string | null>): string {
  const next = new URLSearchParams(here.value.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
  return here.value.path + (text ? `?${text}` : "");
}
export function setQuery(changes: Record<string, string | null>, push = false): void {
  navigate(withQuery(changes), { replace: !push });
}
export const arg = (name: string, otherwise = "") => query.value.get(name) ?? otherwise;

/** Matches "/runs/:id" against the path. */
export function match(pattern: string, at: string): Record<string, string> | null {
  const want = pattern.split("/").filter(Boolean);
  const have = at.split("/").filter(Boolean);
  if (want.length !== have.length) return null;
  const out: Record<string, string> = {};
  for (let i = 0; i < want.length; i++) {
    const w = want[i] as string;
    let h = have[i] as string;
    if (!w.startsWith(":")) {
      if (w !== h) return null;
      continue;
    }
    try {
      h = decodeURIComponent(h);
    } catch {
      return null;
    }
    out[w.slice(1)] = h;
  }
  return out;
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download") || link.origin !== location.origin || link.dataset["plain"] !== undefined) return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
});
