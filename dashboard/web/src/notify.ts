/** Tells a person who looks elsewhere: the title of the tab, and a desktop notification while the tab is hidden. */

import { t, word } from "./i18n";
import { matter } from "./incident/matter";
import type { Incident } from "./records";
import { cameraName, placeName } from "./state";

const told = new Set<string>();

export function askForNotifications(): void {
  if ("Notification" in window && Notification.permission === "default") void Notification.requestPermission();
}

/** The count comes first in the title, so that a narrow tab still shows it. */
export function showInTitle(waiting: readonly Incident[], siteName: string): void {
  const name = siteName ? `${siteName} · Gridpatrol` : "Gridpatrol";
  document.title = waiting.length > 0 ? `(${waiting.length}) ${name}` : name;
}

export function notifyHidden(waiting: readonly Incident[], onClick: (id: string) => void): void {
  for (const one of waiting) {
    if (told.has(one.id)) continue;
    told.add(one.id);
    if (!document.hidden || one.severity === 4) continue;
    if (!("Notification" in window) || Notification.permission !== "granted") continue;
    const title = t("notify.title", { level: word("level", String(one.severity)), kind: matter(one) });
    const note = new Notification(title, {
      body: `${placeName(one.grid_cell)} · ${placeName(one.compound)} · ${cameraName(one.camera)}`,
      tag: one.id,
      requireInteraction: one.severity === 1,
    });
    note.onclick = () => {
      focus();
      onClick(one.id);
      note.close();
    };
  }
}
