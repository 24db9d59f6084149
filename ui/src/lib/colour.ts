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
