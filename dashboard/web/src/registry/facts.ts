/** What the registry's pages show; read when they open and after every change. */

import { computed, signal } from "@preact/signals";

import { ApiError } from "../api";
import { t } from "../i18n";
import { reloadSite, say, session } from "../state";
import type { Changed, ListedEntry, RegistryFacts } from "./records";
import { registry } from "./requests";

export const facts = signal<RegistryFacts | null>(null);
export const entries = signal<readonly ListedEntry[]>([]);
/** The camera that is edited: an id, or a draft of a new one; null: none. */
export const editing = signal<{ id: string } | { draft: Partial<ListedEntry> } | null>(null);

export const FOR_ALL = ["watch", "uplinks"] as const;
export const FOR_ADMINISTRATORS = ["registry", "import", "versions", "logins"] as const;
export type CamerasMode = (typeof FOR_ALL)[number] | (typeof FOR_ADMINISTRATORS)[number];

/** Which part of the cameras' page is shown. */
export const camerasMode = signal<CamerasMode>("watch");

export const entryById = computed(() => new Map(entries.value.map((one) => [one.id, one])));

export function mayConfigure(): boolean {
  return session.value?.principal.role === "administrator";
}

export async function loadRegistry(): Promise<void> {
  try {
    const [about, cameras] = await Promise.all([registry.facts(), registry.cameras()]);
    facts.value = about;
    entries.value = cameras;
  } catch (reason) {
    fail(reason);
  }
}

export function fail(reason: unknown): void {
  say(sentence(reason), "fault");
}

/** Whether somebody else changed first what was to be changed. */
export function isConflict(reason: unknown): boolean {
  return reason instanceof ApiError && reason.status === 409;
}

/** Who was faster, or what is wrong where, in words. */
export function sentence(reason: unknown): string {
  if (!(reason instanceof ApiError)) return reason instanceof Error ? reason.message : String(reason);
  const { problems, by } = reason.more;
  if (reason.status === 409 && by) return t("registry.conflict", { by });
  if (problems && problems.length > 0) {
    return problems.map((one) => [one.camera, one.field, one.reason].filter(Boolean).join(": ")).join("; ");
  }
  return reason.message;
}

/** Says what a change came to, and reads everything again that it touched. */
export async function learnChange(changed: Changed): Promise<void> {
  const { added, changed: altered, removed } = changed.counts;
  const later = changed.after_restart.map((one) => one.why).join(" ");
  const done = t("registry.saved", { n: added + altered + removed });
  say(changed.version === null ? t("registry.same") : later ? `${done} ${later}` : done);
  await Promise.all([loadRegistry(), reloadSite()]);
}
