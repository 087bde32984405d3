import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Where `make dev` finds the API. The page itself only ever asks its own origin.
const backend = process.env.REACT_APP_BACKEND_URL || "http://localhost:4567";

export default defineConfig({
  plugins: [react()],
  server: {
    port: 3000,
    strictPort: true,
    proxy: Object.fromEntries(
      ["/api/", "/docs", "/openapi.json", "/.well-known/"].map((path) => [path, backend]),
    ),
  },
  build: {
    target: "baseline-widely-available",
    assetsInlineLimit: 0, // the Content-Security-Policy lets nothing inline through
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    pool: "threads",
    isolate: false, // one window for all files; tests/setup.ts leaves nothing over in it
    restoreMocks: true,
    unstubGlobals: true,
  },
});
