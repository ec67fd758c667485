import { defineConfig } from "vite";

// Two pages from one source: the control room and the phone page. Nothing is inlined, so that the server can forbid
// inline script (content security policy script-src 'self').
export default defineConfig({
  base: "/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1300,
    rollupOptions: { input: { index: "index.html", phone: "phone.html" } },
  },
  server: { port: 5173, proxy: { "/api": { target: "http://127.0.0.1:8899", ws: true } } },
});
