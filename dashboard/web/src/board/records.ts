/** What the server tells of teams at work, rounds, shifts and handover sheets. Times are ISO 8601 in UTC. */

import type { Bilingual, Level, TeamStatus, Verdict, Work } from "../records";

export interface BoardRow {
  team: string;
  name: Bilingual;
  kind: string;
  call_signs: string[];
  status: TeamStatus;
  incident: string | null;
  incident_number: number | null;
  supporting: boolean;
  grid_cells: string[];
  on_shift: boolean;
  shift_until: string | null;
  position: "fresh" | "stale" | "none" | "post";
  position_at: string | null;
  /** Why the newest reported position is not used. */
  doubt: Bilingual | null;
  /** Dispatched so often in the last 12 hours. */
  load: number;
  rest: Bilingual | null;
}

export interface Stop {
  checkpoint: string;
  name: Bilingual;
  lon: number;
  lat: number;
  /** False for places without a code: there the phone's position is enough. */
  has_code: boolean;
  /** Before this a visit is early; after `until_at` late, and the stop missed. */
  from_at: string;
  due_at: string;
  until_at: string;
  state: "open" | "visited" | "skipped" | "missed";
  visited_at: string | null;
  findings: string[];
  reason: string;
}

export interface Round {
  id: string;
  name: Bilingual;
  kind: string;
  team: string | null;
  state: "due" | "under_way" | "completed" | "incomplete" | "missed" | "withdrawn";
  opens_at: string;
  due_at: string;
  closes_at: string;
  stops: Stop[];
}

export interface Duty {
  team: string;
  begin_at: string;
  end_at: string;
  grid_cells: string[];
  instead_of: string | null;
}

export interface StaffingGap {
  grid_cell: string;
  begin_at: string;
  end_at: string;
  needed: number;
  teams: string[];
}

export interface Sheet {
  notes: string;
  since: { from: string; opened: number; closed: Partial<Record<Verdict, number>> };
  incidents: {
    number: number;
    work: Work;
    severity: Level;
    category: string;
    grid_cell: string;
    owner: string | null;
    team: string | null;
    due: string | null;
  }[];
  shelved: { number: number; until: string; by: string; reason: string }[];
  referrals: { number: number; desk: string; state: string; due: string | null }[];
  cameras_offline: { camera: string; since: string }[];
  rounds: { name: Bilingual; team: string | null; state: string; missed: number; checkpoints: number }[];
}

export interface Handover {
  id: string;
  state: "offered" | "confirmed" | "withdrawn";
  made_at: string;
  outgoing: { id: string; name: string };
  incoming: { id: string; name: string } | null;
  confirmed_at: string | null;
  /** Of the text that both sides sign. */
  sha256: string;
  content: Sheet;
}
