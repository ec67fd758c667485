/** Part of the build: tells the phone's service worker which files make up its page. */

import { createHash } from "node:crypto";

import type { Plugin, Rollup } from "vite";

const WORKER = "phone-worker.js";
/** Files of the phone page that the build does not name: they lie in `public`. */
const FIXED = ["/phone", "/phone.webmanifest", "/icon.svg"];

/** Puts the addresses of the phone page's files into the worker, with a name that changes with the page or any built file. */
export function phoneWorker(): Plugin {
  return {
    name: "phone-worker",
    enforce: "post", // when the pages are in the bundle
    generateBundle(_, bundle) {
      const worker = bundle[WORKER];
      if (worker?.type !== "chunk") throw new Error(`the build has no ${WORKER}`);
      const files = [...filesOf(bundle)].sort();
      const page = bundle["phone.html"];
      if (page?.type !== "asset") throw new Error("the build has no phone.html");
      const hash = createHash("sha256").update(JSON.stringify([files, String(page.source)]));
      const shell = JSON.stringify([...FIXED, ...files.map((file) => `/${file}`)]);
      worker.code = `const SHELL=${shell},SHELL_NAME="gridpatrol.phone.${hash.digest("hex").slice(0, 16)}";\n${worker.code}`;
    },
  };
}

/** The entry of both pages and the chunk of the phone, with all that they import and their styles. */
function filesOf(bundle: Rollup.OutputBundle): Set<string> {
  const found = new Set<string>();
  const add = (name: string): void => {
    const chunk = bundle[name];
    if (chunk?.type !== "chunk" || found.has(name)) return;
    found.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    chunk.imports.forEach(add);
  };
  for (const chunk of Object.values(bundle)) {
    if (chunk.type !== "chunk") continue;
    const holds = (path: string): boolean => chunk.moduleIds.some((id) => id.endsWith(path));
    if (holds("/src/main.tsx") || holds("/src/phone/Phone.tsx")) add(chunk.fileName);
  }
  return found;
}
