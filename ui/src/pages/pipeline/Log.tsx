// The end of a stage's log; follows while the stage runs.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, seg } from "../../api/client";
import type { LogPart } from "../../api/types";

const KEEP = 200_000;

export function Log({ run, stage, live, silent }: { run: string; stage: string; live: boolean; silent: boolean }) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const box = useRef<HTMLPreElement>(null);
  const bottom = useRef(true);
  useEffect(() => {
    setText("");
    setProblem("");
    if (silent) return;
    let offset = -1; // from the end
    let timer = 0;
    let stopped = false;
    const read = async () => {
      try {
        const response = await fetch(api(`/pipeline/runs/${seg(run)}/logs/${seg(stage)}`, offset >= 0 ? { offset } : {}));
        if (stopped) return;
        if (!response.ok) {
          setProblem(response.status === 404 ? "No log." : "The log can't be read.");
          return;
        }
        const part = (await response.json()) as LogPart;
        if (stopped) return;
        offset = part.offset;
        if (part.text) setText((t) => (t + part.text).slice(-KEEP));
        if (!part.done || live) timer = window.setTimeout(() => void read(), document.hidden ? 5000 : 700);
      } catch {
        timer = window.setTimeout(() => void read(), 3000);
      }
    };
    void read();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [run, stage, live, silent]);
  useEffect(() => {
    if (box.current && bottom.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  if (silent) return null;
  return (
    <pre ref={box} class="log" tabIndex={0} aria-label={`log of ${stage}`} role="region" onScroll={(e) => {
      const el = e.currentTarget;
      bottom.current = el.scrollTop + el.clientHeight > el.scrollHeight - 24;
    }}>{text || <span class="faint">{problem || (live ? "Nothing yet…" : "Empty.")}</span>}</pre>
  );
}
