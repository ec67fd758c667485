/** The proposal for the selected incident: the one it came with at once, then a fresh one from the server. */

import { computed, effect, signal } from "@preact/signals";

import { api } from "../api";
import type { Proposal } from "../records";
import { current, generation, teams } from "../state";
import { mayBeSent, picked } from "./steps";

const answered = signal<{ key: string; proposal: Proposal } | null>(null);

/** A proposal ages when the incident moves on or a team's status changes. */
const key = computed(() => {
  const incident = current.value;
  if (!incident || !mayBeSent(incident)) return "";
  const free = [...teams.value.values()].map((team) => (team.on_shift ? team.status[0] : "-")).join("");
  return `${incident.id} ${incident.version} ${free} ${generation.value}`;
});

export const fresh = computed<Proposal | null>(() => {
  const incident = current.value;
  if (!incident) return null;
  return answered.value?.key.startsWith(incident.id) ? answered.value.proposal : incident.proposal;
});

/** The team that a second `D` would send. */
export const chosenTeam = computed(() => {
  const proposal = fresh.value;
  if (!proposal) return null;
  const known = picked.value === proposal.team || proposal.alternatives.some((one) => one.team === picked.value);
  return known && picked.value ? picked.value : proposal.team;
});

effect(() => {
  const wanted = key.value;
  if (!wanted) return;
  const incident = wanted.slice(0, wanted.indexOf(" "));
  api
    .proposal(incident)
    .then((proposal) => {
      if (key.peek() === wanted) answered.value = { key: wanted, proposal };
    })
    // The proposal that came with the incident stays on the page.
    .catch(() => undefined);
});
