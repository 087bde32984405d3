import { createHash } from "node:crypto";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { served } from "./src/language/en/document.ts";

// Where `make dev` finds the API. The page itself only ever asks its own origin.
const backend = process.env.REACT_APP_BACKEND_URL || "http://localhost:4567";

/**
 * Import chunks without Vite's helper, which preloads the styles of a chunk. All styles are in one
 * file, and the helper takes half a kilobyte of the first visit.
 */
const plainImports: Plugin = {
  name: "plain-imports",
  enforce: "pre",
  load: (id) =>
    id === "\0vite/preload-helper.js" ? "export const __vitePreload = (load) => load();" : null,
};

/**
 * Add what runs outside of the main script:
 *
 * - `src/theme.ts`, which blocks the first paint and is therefore not a module;
 * - `src/early.ts`, which loads before the main script, with what both need in a chunk that both
 *   import;
 * - `worker/worker.ts`, the service worker, which gets the names of all scripts and styles.
 */
const entries: Plugin = {
  name: "entries",
  config: () => ({
    build: {
      rolldownOptions: {
        input: {
          index: "index.html",
          early: "src/early.ts",
          theme: "src/theme.ts",
          worker: "worker/worker.ts",
        },
        output: {
          entryFileNames: ({ name }) =>
            name === "worker" ? "worker.js" : "assets/[name]-[hash].js",
        },
      },
    },
  }),
  transformIndexHtml: {
    order: "post",
    handler: (_, { bundle = {} }) => {
      const address = (name: string) => {
        const entry = Object.values(bundle).find(
          (one) => one.type === "chunk" && one.name === name,
        );
        return entry === undefined ? `/src/${name}.ts` : `/${entry.fileName}`;
      };
      return [
        // After the elements that it changes.
        { tag: "script", attrs: { src: address("theme") }, injectTo: "head" },
        {
          tag: "script",
          attrs: { type: "module", src: address("early") },
          injectTo: "head-prepend",
        },
      ];
    },
  },
  generateBundle: {
    order: "post",
    handler: (_, bundle) => {
      const files = Object.values(bundle).filter(({ fileName }) => fileName !== "worker.js");
      const digest = createHash("sha256");
      for (const file of files) {
        digest.update(file.fileName).update(file.type === "chunk" ? file.code : file.source);
      }
      const build = {
        digest: digest.digest("hex").slice(0, 16),
        files: files.map(({ fileName }) => `/${fileName}`).filter((file) => file !== "/index.html"),
      };
      const worker = bundle["worker.js"];
      if (worker?.type === "chunk") {
        worker.code = `const BUILD = ${JSON.stringify(build)};\n${worker.code}`;
      }
    },
  },
};

/** Insert the texts of index.html: `%description%` is `description` in the catalogue. */
const texts: Plugin = {
  name: "texts",
  transformIndexHtml: {
    order: "pre",
    handler: (html) =>
      Object.entries(served).reduce((page, [name, text]) => page.replace(`%${name}%`, text), html),
  },
};

/** Keep one of the two shells of index.html for `make dev`, as the service does for each page. */
const shell: Plugin = {
  name: "shell",
  apply: "serve",
  transformIndexHtml: (html) => html.replace(/<!-- shell: account -->.*?<!-- \/shell -->/s, ""),
};

/** Switch the telemetry of the page on for `make dev`, as the service does in index.html. */
const telemetry: Plugin = {
  name: "telemetry",
  apply: "serve",
  transformIndexHtml: () => [{ tag: "meta", attrs: { name: "telemetry", content: "on" } }],
};

export default defineConfig({
  plugins: [react(), plainImports, entries, texts, shell, telemetry],
  server: {
    port: 3000,
    strictPort: true,
    proxy: Object.fromEntries(
      ["/api/", "/docs", "/openapi.json", "/.well-known/", "^/@\\w+/feed\\.atom"].map((path) => [
        path,
        backend,
      ]),
    ),
  },
  build: {
    target: "baseline-widely-available",
    cssCodeSplit: false, // one file, because the helper that would load others is left out
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
    // For an event that never comes. The time of a test is faked, so it does not depend on this.
    testTimeout: 60_000,
    unstubGlobals: true,
  },
});
