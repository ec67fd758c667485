/** The rows of the queue as they stand on the screen now; keys walk along them. */

import { computed, signal } from "@preact/signals";

import type { Incident } from "../records";
import { incidents } from "../state";
import { fold, queueOf, type QueueName } from "./queues";

export const shownIds = signal<readonly string[]>([]);
export const arrivedWhileHeld = signal(0);
export const queue = signal<QueueName>("alarms");
/** Keys of the groups that somebody opened. */
export const opened = signal<ReadonlySet<string>>(new Set());

export const byQueue = computed(() => {
  const found: Record<QueueName, Incident[]> = { alarms: [], alerts: [], log: [] };
  for (const one of incidents.value.values()) found[queueOf(one)].push(one);
  return found;
});

export const folded = computed(() => fold(byQueue.value.alarms));
