// Server-sent events: `change` says that something was written. At most one refresh a second; nothing while the page is hidden.
import { signal } from "@preact/signals";
import { locked, refresh } from "./client";

export type Live = "live" | "paused" | "off";
export const live = signal<Live>("off");

let source: EventSource | null = null;
let timer = 0;
let last = 0;

function soon(): void {
  if (timer) return;
  const wait = Math.max(0, 1000 - (Date.now() - last));
  timer = window.setTimeout(() => {
    timer = 0;
    last = Date.now();
    refresh();
  }, wait);
}

function open(): void {
  source?.close();
  source = new EventSource("/api/v1/events");
  let first = true;
  source.onopen = () => {
    live.value = "live";
    if (!first) soon(); // what happened while the line was down
    first = false;
  };
  source.onerror = () => {
    live.value = "off";
  };
  source.addEventListener("change", soon);
}

export function startLive(): void {
  const follow = () => {
    if (document.hidden) {
      source?.close();
      source = null;
      live.value = "paused";
    } else {
      soon();
      open();
    }
  };
  document.addEventListener("visibilitychange", follow);
  locked.subscribe((value) => {
    if (value) {
      source?.close();
      live.value = "off";
    } else if (!document.hidden) open();
  });
}
