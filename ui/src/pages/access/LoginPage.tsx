// Logging in by name and password or by a token; the first administrator by the link that the server printed.
import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../../api/types";
import { Button } from "../../components/Button";
import { arg, navigate, path } from "../../lib/router";
import { enter, readSession, session } from "./session";
import "./Access.css";

function Field({ label, type = "text", value, set, autocomplete, hint }: { label: string; type?: string; value: string; set: (v: string) => void; autocomplete: string; hint?: string }) {
  return (
    <label class="stack">
      <span class="small dim">{label}</span>
      <input class="input" type={type} autocomplete={autocomplete} value={value} onInput={(e) => set(e.currentTarget.value)} required maxLength={1024} />
      {hint && <span class="small dim">{hint}</span>}
    </label>
  );
}

export function LoginPage() {
  const setup = path.value === "/login" ? arg("setup") : "";
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [token, setToken] = useState("");
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const methods = session.value?.methods ?? ["token"];
  const byPassword = methods.includes("password");
  const [useToken, setUseToken] = useState(false);
  useEffect(() => {
    void readSession();
  }, []);
  const form = setup ? "setup" : byPassword && !useToken ? "password" : "token";
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const wrong = form === "setup" ? await enter("/api/v1/setup", { code: setup, name, password }) : await enter("/api/v1/session", form === "token" ? { token: token.trim() } : { name, password });
    setBusy(false);
    setError(wrong);
    if (!wrong && path.value === "/login") navigate("/");
  };
  return (
    <main class="login">
      <form class="login-box stack" onSubmit={(e) => void submit(e)} aria-label={form === "setup" ? "first administrator" : "log in"}>
        <h1>{form === "setup" ? "The first administrator" : "Log in"}</h1>
        {form === "setup" && <p class="dim">This link works once. Whoever it makes can add everybody else.</p>}
        {form === "token" ? (
          <Field label="Token" type="password" autocomplete="current-password" value={token} set={setToken} hint="One that an administrator made for you, or the one given to the server in RONDO_TOKEN." />
        ) : (
          <>
            <Field label="Name" autocomplete="username" value={name} set={setName} />
            <Field label="Password" type="password" autocomplete={form === "setup" ? "new-password" : "current-password"} value={password} set={setPassword} {...(form === "setup" ? { hint: "At least 12 characters: four random words do well." } : {})} />
          </>
        )}
        {error && <p class="bad" role="alert">{error.message}{error.hint ? <span class="dim"> {error.hint}</span> : null}</p>}
        {session.value?.setup && form !== "setup" && <p class="warn">There is no administrator yet: open the link that <code>rondo up</code> printed, or run <code>rondo user add NAME --admin</code>.</p>}
        <div class="login-end">
          <Button kind="main" submit disabled={busy}>{busy ? "One moment…" : form === "setup" ? "Make the account" : "Log in"}</Button>
          {byPassword && !setup && <button type="button" class="login-other" onClick={() => setUseToken(!useToken)}>{useToken ? "by name and password" : "by a token"}</button>}
        </div>
      </form>
    </main>
  );
}
