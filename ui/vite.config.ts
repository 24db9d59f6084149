// Build of the pages: hashed file names, no inlined assets (the server's Content-Security-Policy allows only its own files).
import { defineConfig } from "vite";
import { mockApi } from "./mock/server";

// RONDO_URL: `./dev ui` talks to that server; without it the pages run on made-up data.
const target = process.env["RONDO_URL"];

export default defineConfig(({ command }) => ({
  plugins: command === "serve" && !target ? [mockApi()] : [],
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    outDir: process.env["RONDO_UI_OUT"] ?? "../build/ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: "manifest.json",
  },
  server: target
    ? { proxy: Object.fromEntries(["/api", "/v2", "/endpoints", "/metrics", "/health"].map((path) => [path, { target, changeOrigin: true, headers: { origin: target } }])) }
    : {},
}));
