import { defineConfig } from "vitest/config";

// The pages are embedded in the binary of the daemon, which answers `/assets/` with files that never
// change and everything else with index.html. Its Content-Security-Policy allows no inline script
// and no inline style, so nothing is inlined here either.
export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  worker: { format: "es" },
  server: {
    // `npm run dev` beside a daemon with `[dashboard] listen = "127.0.0.1:4181"`.
    proxy: {
      "/v1": { target: process.env["VIAL_DASHBOARD"] ?? "http://127.0.0.1:4181", ws: true },
    },
  },
  test: { include: ["test/**/*.test.ts", "test/**/*.test.tsx"] },
});
