// Buttons: plain, main, and one that asks before it acts.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api/types";
import "./Button.css";

type Kind = "plain" | "main" | "danger";
export function Button({ children, onClick, kind = "plain", disabled, title, pressed, submit }: { children: ComponentChildren; onClick?: () => void; kind?: Kind; disabled?: boolean; title?: string; pressed?: boolean; submit?: boolean }) {
  return (
    <button type={submit ? "submit" : "button"} class={`button button-${kind}`} onClick={onClick} disabled={disabled} title={title} {...(pressed === undefined ? {} : { "aria-pressed": pressed })}>
      {children}
    </button>
  );
}

/** Opens a small form: what will happen, a reason that goes into the audit log, and the button. */
export function AskButton({ label, kind = "plain", what, needsReason, act, disabled, children }: {
  label: string;
  kind?: Kind;
  what: string;
  needsReason?: boolean;
  act: (reason: string) => Promise<{ error?: ApiError }>;
  disabled?: boolean;
  children?: ComponentChildren;
}) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  const run = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const answer = await act(reason.trim());
    setBusy(false);
    if (answer.error) setError(answer.error);
    else {
      setOpen(false);
      setReason("");
    }
  };
  return (
    <>
      <Button kind={kind} onClick={() => setOpen(true)} disabled={disabled ?? false}>{label}</Button>
      <dialog ref={dialog} class="ask" onClose={() => setOpen(false)} aria-label={label}>
        {open && (
          <form onSubmit={(e) => void run(e)} class="stack">
            <h2>{label}</h2>
            <p>{what}</p>
            {children}
            <label class="stack ask-reason">
              <span class="small dim">Reason, kept in the audit log{needsReason ? "" : " (optional)"}</span>
              <input class="input" value={reason} required={needsReason ?? false} maxLength={500} onInput={(e) => setReason(e.currentTarget.value)} />
            </label>
            {error && <p class="bad" role="alert">{error.message}{error.hint ? ` ${error.hint}` : ""}</p>}
            <div class="row ask-buttons">
              <Button onClick={() => setOpen(false)}>Cancel</Button>
              <Button kind={kind === "plain" ? "main" : kind} submit disabled={busy}>{busy ? "Working…" : label}</Button>
            </div>
          </form>
        )}
      </dialog>
    </>
  );
}
