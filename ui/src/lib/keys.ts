// Keyboard: single keys outside of fields, and "g r" sequences.
import { useEffect } from "preact/hooks";

type Action = (event: KeyboardEvent) => void;
const stack: Map<string, Action>[] = [];
let prefix = "";
let prefixAt = 0;

export function inField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = inField(event.target);
  if (typing && event.key !== "Escape") return;
  let key = event.key;
  if (prefix && event.timeStamp - prefixAt < 1200) key = `${prefix} ${key}`;
  prefix = "";
  for (let i = stack.length - 1; i >= 0; i--) {
    const action = stack[i]?.get(key);
    if (!action) continue;
    action(event);
    return;
  }
  if (!typing && event.key === "g") {
    prefix = "g";
    prefixAt = event.timeStamp;
  }
});

/** The newest component that knows a key gets it. */
export function useKeys(keys: Record<string, Action>): void {
  useEffect(() => {
    const map = new Map(Object.entries(keys));
    stack.push(map);
    return () => {
      stack.splice(stack.indexOf(map), 1);
    };
  });
}
