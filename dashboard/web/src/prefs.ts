/** What one person chose for this browser: language, theme, sound. Kept in localStorage. */

import { effect, signal } from "@preact/signals";

export type Lang = "zh" | "en";
export type Theme = "dark" | "light";

function stored<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  const value = localStorage.getItem(`gridpatrol.${key}`);
  return allowed.find((one) => one === value) ?? otherwise;
}

export const lang = signal<Lang>(stored("lang", ["zh", "en"], navigator.language.startsWith("zh") ? "zh" : "en"));
export const theme = signal<Theme>(stored("theme", ["dark", "light"], "dark"));
export const soundOn = signal(stored("sound", ["on", "off"], "on") === "on");

export function applyPrefs(): void {
  effect(() => {
    localStorage.setItem("gridpatrol.lang", lang.value);
    document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
  });
  effect(() => {
    localStorage.setItem("gridpatrol.theme", theme.value);
    document.documentElement.dataset.theme = theme.value;
  });
  effect(() => localStorage.setItem("gridpatrol.sound", soundOn.value ? "on" : "off"));
}
