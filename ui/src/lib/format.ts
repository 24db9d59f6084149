// Numbers, sizes and times as people read them. Nothing here invents precision: what isn't a number shows as a dash or by its name.
import type { Num } from "../api/types";

export const DASH = "–";

export function toNumber(x: Num | undefined): number {
  if (typeof x === "number") return x;
  if (x === "Infinity") return Infinity;
  if (x === "-Infinity") return -Infinity;
  return NaN;
}

const group = new Intl.NumberFormat("en-US");
export function count(n: number): string {
  return Number.isFinite(n) ? group.format(Math.round(n)) : DASH;
}

/** Metrics: four significant digits, small and large ones in powers of ten. */
export function metric(x: Num | undefined, digits = 4): string {
  if (x === null || x === undefined) return DASH;
  const n = toNumber(x);
  if (Number.isNaN(n)) return "NaN";
  if (!Number.isFinite(n)) return n > 0 ? "∞" : "−∞";
  const a = Math.abs(n);
  if (n === 0) return "0";
  if (Number.isInteger(n) && a < 1e6) return minus(group.format(n));
  if (a >= 1e6 || a < 1e-4) return minus(n.toExponential(2));
  if (a < 1) return minus(n.toFixed(digits));
  const text = n.toPrecision(digits);
  // 60 keeps its zero, 60.50 doesn't; no exponent for numbers of this size.
  return minus(text.includes("e") ? String(Math.round(n)) : text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}
const minus = (s: string) => s.replace("-", "−");

/** A difference that the shown digits can't tell from nothing. */
export const tiny = (n: number, digits = 4) => Math.abs(n) < 0.5 * 10 ** -digits;

export function signed(n: number, digits = 4): string {
  if (!Number.isFinite(n)) return DASH;
  if (tiny(n, digits)) return `±${(0).toFixed(digits)}`;
  const text = Math.abs(n) < 1 ? Math.abs(n).toFixed(digits) : metric(Math.abs(n));
  return `${n > 0 ? "+" : n < 0 ? "−" : "±"}${text}`;
}

export function percent(share: number, digits = 0): string {
  if (!Number.isFinite(share)) return DASH;
  const p = share * 100;
  if (p > 0 && p < 0.1 && digits < 2) return "<0.1%";
  return `${p.toFixed(p > 0 && p < 10 && digits === 0 && !Number.isInteger(p) ? 1 : digits)}%`;
}

export function bytes(n: number): string {
  if (!Number.isFinite(n)) return DASH;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

export function seconds(s: number): string {
  if (!Number.isFinite(s)) return DASH;
  if (s < 0.9995) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function ms(x: Num): string {
  const n = toNumber(x);
  if (!Number.isFinite(n)) return DASH;
  if (n < 1) return `${Math.round(n * 1000)} µs`;
  return n < 1000 ? `${n < 10 ? n.toFixed(2) : n.toFixed(1)} ms` : seconds(n / 1000);
}

const two = (n: number) => String(n).padStart(2, "0");
export function dateTime(t: number): string {
  const d = new Date(t);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
export function shortTime(t: number, now = Date.now()): string {
  const d = new Date(t);
  const same = new Date(now).toDateString() === d.toDateString();
  return same ? `${two(d.getHours())}:${two(d.getMinutes())}` : `${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

export function ago(t: number, now = Date.now()): string {
  const s = (now - t) / 1000;
  if (s < 0) return s > -5 ? "now" : `in ${span(-s)}`;
  return s < 5 ? "now" : `${span(s)} ago`;
}
function span(s: number): string {
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 86400) return `${Math.round(s / 3600)} h`;
  if (s < 86400 * 60) return `${Math.round(s / 86400)} d`;
  return `${Math.round(s / 86400 / 30)} mo`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** "a, b and c" */
export function list(items: string[], most = 3): string {
  const shown = items.length > most ? [...items.slice(0, most - 1), `${items.length - most + 1} more`] : items;
  return shown.length < 2 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown[shown.length - 1]}`;
}

/** Hashes and run ids, short enough to read out. */
export const short = (id: string, n = 8) => (/^[0-9a-f]{20,}$/.test(id) ? id.slice(0, n) : id);
