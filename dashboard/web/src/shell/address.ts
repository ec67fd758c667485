/**
 * The page that is shown, as an address: `#page=reports&from=2026-03-01&to=2026-03-07`. It can be kept, sent to somebody and
 * loaded again; the browser's way back leads to the page before. The room has the bare address.
 */

import { effect } from "@preact/signals";

import { auditAsked, mode as adminMode, MODES as ADMIN_MODES } from "../admin/facts";
import { camerasMode, FOR_ADMINISTRATORS, FOR_ALL, mayConfigure } from "../registry/facts";
import { mode as coverageMode, MODES as COVERAGE_MODES } from "../coverage/facts";
import { CATEGORIES } from "../records";
import { isDay, period } from "../reports/period";
import { category } from "../reports/requests";
import { mayDispatch, tab, type Tab } from "../state";

type Values = Readonly<Record<string, string>>;

/** What of a page stands in its address. `take` gets "" for what does not. */
interface Part {
  read: () => Values;
  take: (value: (key: string) => string) => void;
}

function one<T extends string>(value: string, among: readonly T[]): T | null {
  return among.find((each) => each === value) ?? null;
}

const PAGES: Readonly<Record<Exclude<Tab, "room">, Part | null>> = {
  wall: null,
  board: null,
  teams: null,
  coverage: {
    read: () => ({ part: coverageMode.value }),
    take: (value) => (coverageMode.value = one(value("part"), COVERAGE_MODES) ?? "now"),
  },
  cameras: {
    read: () => ({ part: camerasMode.value }),
    take: (value) => (camerasMode.value = one(value("part"), mayConfigure() ? [...FOR_ALL, ...FOR_ADMINISTRATORS] : FOR_ALL) ?? "watch"),
  },
  reports: {
    read: () => ({ ...period.value, category: category.value }),
    take: (value) => {
      const [from, to] = [value("from"), value("to")];
      if (isDay(from) && isDay(to)) period.value = { from, to };
      category.value = one(value("category"), [...CATEGORIES, "camera_health"]) ?? "";
    },
  },
  users: {
    read: () => ({ part: adminMode.value, ...(adminMode.value === "audit" ? auditAsked.value : {}) }),
    take: (value) => {
      adminMode.value = one(value("part"), ADMIN_MODES) ?? "users";
      auditAsked.value = { actor: value("actor").slice(0, 64), action: value("action").slice(0, 64), text: value("text").slice(0, 64) };
    },
  },
};

function may(page: Tab): boolean {
  return page === "reports" ? mayDispatch() : page === "users" ? mayConfigure() : true;
}

/** The address of what is shown; empty for the room. */
export function address(): string {
  const page = tab.value;
  if (page === "room") return "";
  const given = Object.entries(PAGES[page]?.read() ?? {}).filter(([, value]) => value !== "");
  return `#${new URLSearchParams([["page", page], ...given]).toString()}`;
}

/** Shows what an address says; one without a page shows the room. */
function take(hash: string): void {
  const values = new URLSearchParams(hash.slice(1));
  const page = one(values.get("page") ?? "", Object.keys(PAGES) as Exclude<Tab, "room">[]);
  if (page && may(page)) PAGES[page]?.take((key) => values.get(key) ?? "");
  tab.value = page && may(page) ? page : "room";
}

/** Another page or part is a step of its own for the way back; another filter is not. */
function isStep(before: string, after: string): boolean {
  const [old, now] = [before, after].map((hash) => new URLSearchParams(hash.slice(1)));
  return ["page", "part"].some((key) => old?.get(key) !== now?.get(key));
}

/** Keeps address and page the same; the returned function ends it. */
export function startAddress(): () => void {
  if (location.hash.startsWith("#page=")) take(location.hash);
  const onBack = (): void => take(location.hash);
  addEventListener("popstate", onBack);
  let isFirst = true;
  const end = effect(() => {
    const wanted = address();
    if (wanted !== location.hash) {
      const write = isFirst || !isStep(location.hash, wanted) ? "replaceState" : "pushState";
      history[write](null, "", `${location.pathname}${wanted}`);
    }
    isFirst = false;
  });
  return () => {
    end();
    removeEventListener("popstate", onBack);
  };
}
