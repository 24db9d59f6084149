// Fetching: one cache of resources by address, refreshed when the server says that something changed.
import { signal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ApiError } from "./types";

export interface Resource<T> {
  data?: T;
  error?: ApiError;
  loading: boolean;
}
interface Entry {
  state: Signal<Resource<unknown>>;
  users: number;
  running: boolean;
  again: boolean;
  text: string;
}

/** What a page sends back beside the session's cookie; read by readSession. */
export const csrf = signal("");
/** The server wants a login. */
export const locked = signal(false);
const entries = new Map<string, Entry>();
const KEEP = 60;

async function problem(response: Response): Promise<ApiError> {
  try {
    const body = (await response.json()) as Partial<ApiError> & { error?: string };
    return { error_code: body.error_code ?? String(response.status), message: body.message ?? body.error ?? response.statusText, ...(body.hint ? { hint: body.hint } : {}) };
  } catch {
    return { error_code: String(response.status), message: response.statusText || "the server gave no answer that can be read" };
  }
}

async function load(url: string, entry: Entry): Promise<void> {
  if (entry.running) {
    entry.again = true;
    return;
  }
  entry.running = true;
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (response.status === 401) locked.value = true;
    if (!response.ok) {
      entry.text = "";
      entry.state.value = { error: await problem(response), loading: false };
    } else {
      const text = await response.text();
      // The same bytes are the same picture: no redraw.
      if (text !== entry.text || entry.state.value.error) {
        entry.text = text;
        entry.state.value = { data: JSON.parse(text) as unknown, loading: false };
      }
    }
  } catch {
    const { data } = entry.state.value;
    entry.state.value = { ...(data === undefined ? {} : { data }), error: { error_code: "UNAVAILABLE", message: "the server can't be reached", hint: "is `rondo up` still running?" }, loading: false };
  }
  entry.running = false;
  if (entry.again) {
    entry.again = false;
    void load(url, entry);
  }
}

function entryOf(url: string): Entry {
  let entry = entries.get(url);
  if (!entry) {
    entry = { state: signal<Resource<unknown>>({ loading: true }), users: 0, running: false, again: false, text: "" };
    entries.set(url, entry);
    if (entries.size > KEEP) {
      for (const [key, old] of entries) {
        if (old.users === 0 && key !== url) {
          entries.delete(key);
          break;
        }
      }
    }
  }
  return entry;
}

const nothing: Resource<never> = { loading: false };

/** Reads a resource and stays subscribed to it. Null: nothing to read (yet). */
export function useApi<T>(url: string | null): Resource<T> {
  const entry = url ? entryOf(url) : null;
  useEffect(() => {
    if (!url || !entry) return;
    entry.users++;
    void load(url, entry);
    return () => {
      entry.users--;
    };
  }, [url]);
  return entry ? (entry.state.value as Resource<T>) : nothing;
}

/** Reads everything on the screen again. */
export function refresh(): void {
  for (const [url, entry] of entries) {
    if (entry.users > 0) void load(url, entry);
  }
}

export async function send<T>(method: string, url: string, body: unknown): Promise<{ data?: T; error?: ApiError; headers?: Headers }> {
  try {
    const response = await fetch(url, { method, headers: { "Content-Type": "application/json", Accept: "application/json", ...(csrf.value ? { "X-Rondo-CSRF": csrf.value } : {}) }, body: JSON.stringify(body) });
    if (response.status === 401) locked.value = true;
    if (!response.ok) return { error: await problem(response) };
    const text = await response.text();
    return { data: (text ? JSON.parse(text) : {}) as T, headers: response.headers };
  } catch {
    return { error: { error_code: "UNAVAILABLE", message: "the server can't be reached", hint: "is `rondo up` still running?" } };
  }
}
/** A write; what is on the screen is read again afterwards. */
export async function post<T>(url: string, body: unknown = {}) {
  const answer = await send<T>("POST", url, body);
  refresh();
  return answer;
}

export const api = (path: string, args: Record<string, string | number | undefined> = {}) => {
  const text = Object.entries(args)
    .filter(([, v]) => v !== undefined && v !== "")
    .map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`)
    .join("&");
  return `/api/v1${path}${text ? `?${text}` : ""}`;
};
export const seg = encodeURIComponent;
