/**
 * The phone page's service worker: the page and its files are kept on the phone, so that it opens without network.
 * Nothing of the API is ever kept here; what the page knows it keeps itself.
 */

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetching extends Event {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Worker {
  addEventListener(type: "install" | "activate", listen: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listen: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
}

/** Addresses of the page and its files, and a name that changes with any of them: put in by the build. */
declare const SHELL: readonly string[];
declare const SHELL_NAME: string;

const PAGE = "/phone";
const worker = globalThis as unknown as Worker;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL_NAME)
      .then((cache) => cache.addAll(SHELL))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event) => {
  const old = (name: string): boolean => name.startsWith("gridpatrol.phone.") && name !== SHELL_NAME;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || pathname.startsWith("/api/")) return;
  const asked = request.mode === "navigate" && pathname === PAGE ? PAGE : request;
  event.respondWith(caches.match(asked).then((kept) => kept ?? fetch(request)));
});
