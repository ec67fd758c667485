import { signal } from "@preact/signals";

/** Whether the window of seldom actions is open for the selected incident. */
export const further = signal(false);
