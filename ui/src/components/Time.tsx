// "3 min ago", with the exact time on hover; moves on by itself.
import { signal } from "@preact/signals";
import { ago, dateTime } from "../lib/format";

const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 10_000);

export function Time({ at, exact }: { at: number | undefined; exact?: boolean }) {
  if (!at) return <span class="faint">–</span>;
  return (
    <time class="nowrap" dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {exact ? dateTime(at) : ago(at, Math.max(now.value, Date.now()))}
    </time>
  );
}
