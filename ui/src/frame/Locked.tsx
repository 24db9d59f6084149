// The server wants a token: ask once, keep it in a cookie of this site only.
import { useState } from "preact/hooks";
import { locked, refresh } from "../api/client";
import { Button } from "../components/Button";

export function Locked() {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState(false);
  const enter = async (event: Event) => {
    event.preventDefault();
    document.cookie = `rondo_token=${token.trim().replace(/[;,\s]/g, "")}; path=/; SameSite=Strict; max-age=2592000${location.protocol === "https:" ? "; Secure" : ""}`;
    const answer = await fetch("/api/v1/overview");
    if (answer.ok) {
      locked.value = false;
      refresh();
    } else setWrong(true);
  };
  return (
    <form class="stack" style={{ maxWidth: "420px", margin: "12vh auto", padding: "0 16px" }} onSubmit={(e) => void enter(e)}>
      <h1>This server wants a token</h1>
      <p class="dim">The one that was given to <code>rondo up</code>. It is kept in a cookie of this site.</p>
      <label class="stack">
        <span class="small dim">Token</span>
        <input class="input" type="password" autocomplete="current-password" value={token} onInput={(e) => setToken(e.currentTarget.value)} required />
      </label>
      {wrong && <p class="bad" role="alert">That token isn't accepted.</p>}
      <div><Button kind="main" submit>Enter</Button></div>
    </form>
  );
}
