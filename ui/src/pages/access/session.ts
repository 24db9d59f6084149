// Who is logged in, and logging in. The cookie is the server's; pages only send back the value that proves they are its own.
import { signal } from "@preact/signals";
import { csrf, locked, refresh } from "../../api/client";
import type { ApiError } from "../../api/types";

export interface Session {
  login: boolean;
  known: boolean;
  name?: string;
  account?: boolean;
  role?: string;
  csrf?: string;
  methods: string[];
  setup?: boolean;
}
export const session = signal<Session | undefined>(undefined);

export async function readSession(): Promise<void> {
  try {
    const answer = await fetch("/api/v1/session", { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const body = (await answer.json()) as Session;
    session.value = body;
    csrf.value = body.csrf ?? "";
    locked.value = body.login && !body.known;
  } catch {
    // The frame says that the server can't be reached.
  }
}

/** Sends a login or the first administrator's form; an error, or nothing. */
export async function enter(url: string, body: Record<string, string>): Promise<ApiError | undefined> {
  try {
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) {
      const problem = (await answer.json()) as ApiError;
      return { ...problem, message: answer.status === 429 ? `${problem.message}` : problem.message };
    }
  } catch {
    return { error_code: "UNAVAILABLE", message: "the server can't be reached" };
  }
  await readSession();
  refresh();
  return undefined;
}

export async function leave(): Promise<void> {
  await fetch("/api/v1/session", { method: "DELETE", headers: { "X-Rondo-CSRF": csrf.value } });
  csrf.value = "";
  await readSession();
}
