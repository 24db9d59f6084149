// The four states and "nothing yet": each its own shape as well as its own colour.
import type { State } from "../api/types";
import "./StateMark.css";

export const stateWord: Record<State, string> = { ok: "ok", busy: "busy", warn: "needs a look", bad: "failed", idle: "nothing yet" };

export function StateMark({ state, size = 14, title }: { state: State; size?: number; title?: string }) {
  const word = title ?? stateWord[state];
  return (
    <svg class={`mark mark-${state}`} width={size} height={size} viewBox="0 0 16 16" role="img" aria-label={word}>
      <title>{word}</title>
      {state === "ok" && (
        <>
          <circle cx="8" cy="8" r="7" class="mark-fill" />
          <path d="M4.6 8.3l2.4 2.4 4.4-4.9" class="mark-ink" />
        </>
      )}
      {state === "busy" && (
        <>
          <circle cx="8" cy="8" r="6" class="mark-track" />
          <path d="M8 2a6 6 0 0 1 6 6" class="mark-arc" />
        </>
      )}
      {state === "warn" && (
        <>
          <path d="M8 1.2L15.4 14.4H.6z" class="mark-fill" />
          <path d="M8 6v4M8 12v.2" class="mark-ink" />
        </>
      )}
      {state === "bad" && (
        <>
          <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" class="mark-fill" />
          <path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" class="mark-ink" />
        </>
      )}
      {state === "idle" && <circle cx="8" cy="8" r="5.6" class="mark-hollow" />}
    </svg>
  );
}
