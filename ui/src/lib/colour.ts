// One colour per thing, everywhere and for ever: chosen by hash among eight. Model versions step by number, so that neighbours differ.
export function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619) >>> 0;
  h ^= h >>> 15;
  return h >>> 0;
}
export const colourOf = (id: string) => `var(--c${hash(id) % 8})`;
export const versionColour = (model: string, version: number) => `var(--c${(hash(model) + version * 3) % 8})`;

/** A CSS variable's present value, for canvas. */
export function resolve(variable: string): string {
  const name = /var\((--[\w-]+)\)/.exec(variable)?.[1] ?? variable;
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Colours of things shown together: each its own if nobody before it has that, else the next free one; after eight they repeat. */
export function coloursOf(ids: string[]): Map<string, string> {
  const out = new Map<string, string>();
  let used = new Set<number>();
  for (const id of ids) {
    if (out.has(id)) continue;
    if (used.size === 8) used = new Set();
    let c = hash(id) % 8;
    while (used.has(c)) c = (c + 1) % 8;
    used.add(c);
    out.set(id, `var(--c${c})`);
  }
  return out;
}
