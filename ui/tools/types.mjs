// Makes src/api/generated.ts from the server's OpenAPI: node tools/types.mjs URL-or-file [--check]. With --check it only compares (exit 1: they differ).
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const [source, mode] = process.argv.slice(2);
if (!source) {
  console.error("node tools/types.mjs http://127.0.0.1:7070/api/v1/openapi.json [--check]");
  process.exit(2);
}
const api = JSON.parse(/^https?:/.test(source) ? await (await fetch(source)).text() : await readFile(source, "utf8"));
const target = fileURLToPath(new URL("../src/api/generated.ts", import.meta.url));

const plain = { string: "string", integer: "number", number: "number", boolean: "boolean", null: "null" };
const field = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
function type(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(type).join(" | ");
  if (schema.type === "array") {
    const item = type(schema.items);
    return item.includes("|") ? `(${item})[]` : `${item}[]`;
  }
  if (schema.type === "object" && schema.additionalProperties) return `Record<string, ${type(schema.additionalProperties)}>`;
  return plain[schema.type] ?? "Json";
}

const lines = [
  "// Made by tools/types.mjs from the server's OpenAPI; tests/ui checks that it is what the server says. Don't edit.",
  "export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };",
];
for (const [name, schema] of Object.entries(api.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (schema.type !== "object") {
    lines.push("", `export type ${name} = ${type(schema)};`);
    continue;
  }
  const required = new Set(schema.required ?? []);
  lines.push("", `export interface ${name} {`, ...Object.entries(schema.properties ?? {}).map(([k, v]) => `  ${field(k)}${required.has(k) ? "" : "?"}: ${type(v)};`), "}");
}
const answers = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).flatMap(([method, operation]) => {
  const schema = operation.responses["200"]?.content?.["application/json"]?.schema;
  return schema ? [`  "${method.toUpperCase()} ${path}": ${type(schema)};`] : [];
}));
lines.push("", "/** What each address answers. */", "export interface Answers {", ...answers.sort(), "}", "");
const text = lines.join("\n");
if (mode === "--check") {
  if ((await readFile(target, "utf8")) === text) process.exit(0);
  console.error("src/api/generated.ts is not what the server says; make it again: node tools/types.mjs URL");
  process.exit(1);
}
await writeFile(target, text);
