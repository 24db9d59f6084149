// Fails the build when the first load (index.html, its script and style, everything they import statically) passes the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { join, resolve } from "node:path";

const BUDGET = 100 * 1000;
const out = resolve(process.env.RONDO_UI_OUT ?? "../build/ui");
const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
const files = new Set(["index.html"]);
const walk = (key) => {
  const chunk = manifest[key];
  if (!chunk || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const next of chunk.imports ?? []) walk(next);
};
walk("index.html");
let total = 0;
for (const file of files) total += gzipSync(readFileSync(join(out, file)), { level: 9 }).length;
console.log(`first load: ${(total / 1000).toFixed(1)} kB gzipped in ${files.size} files (budget ${BUDGET / 1000} kB)`);
if (total > BUDGET) {
  console.error("over the budget: load something lazily or leave it out");
  process.exit(1);
}
