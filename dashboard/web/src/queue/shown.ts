/** The rows of the queue as they stand on the screen now; keys walk along them. */

import { signal } from "@preact/signals";

export const shownIds = signal<readonly string[]>([]);
export const arrivedWhileHeld = signal(0);
