import { useEffect } from "preact/hooks";

import { refreshStatuses } from "../state";

const EVERY_MS = 5_000;

/** Keeps rates and ages of the cameras fresh while a part of the page shows them (`wanted`) and the tab is seen. */
export function useFreshStatuses(wanted: boolean): void {
  useEffect(() => {
    if (!wanted) return;
    void refreshStatuses();
    const timer = setInterval(() => {
      if (!document.hidden) void refreshStatuses();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [wanted]);
}
