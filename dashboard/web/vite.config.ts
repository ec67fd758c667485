import { defineConfig } from "vite";

import { phoneWorker } from "./phone-worker";

// Two pages from one source: the control room and the phone page, with the phone's service worker. Nothing is inlined, so that
// the server can forbid inline script (content security policy script-src 'self').
export default defineConfig({
  base: "/",
  plugins: [phoneWorker()],
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1300,
    rollupOptions: {
      input: { index: "index.html", phone: "phone.html", "phone-worker": "src/phone/worker.ts" },
      // A worker keeps its address, or phones would never hear of the next one.
      output: { entryFileNames: ({ name }) => (name === "phone-worker" ? "[name].js" : "assets/[name]-[hash].js") },
    },
  },
  server: { port: 5173, proxy: { "/api": { target: "http://127.0.0.1:8899", ws: true } } },
});
