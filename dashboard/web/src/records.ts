/** What the server's REST and WebSocket interface carries. Times are ISO 8601 in UTC. */

import type { Round } from "./board/records";
import type { CoverageNews } from "./coverage/records";

export type Role = "operator" | "dispatcher" | "administrator" | "team";
export type Level = 1 | 2 | 3 | 4;
export type Health = "online" | "degraded" | "offline";
export type Quality = "excellent" | "fair" | "poor" | "unusable";

export interface Bilingual {
  zh: string;
  en: string;
}

export interface Principal {
  kind: "user" | "team";
  id: string;
  name: string;
  /** A team's English name; of a user the same as `name`. */
  name_en: string;
  role: Role;
  team: string | null;
  /** What a user is limited to: communities and grid cells; empty: the whole sub-district. */
  areas: string[];
}

export interface Session {
  principal: Principal;
  expires_at: string;
}

/** Incident work: what people have done so far, in this order. */
export const WORKS = ["new", "acknowledged", "dispatched", "accepted", "en_route", "on_scene", "reported", "verified", "closed"] as const;
export type Work = (typeof WORKS)[number];

export type StepName =
  | "acknowledge"
  | "take_over"
  | "dispatch"
  | "accept"
  | "refuse"
  | "depart"
  | "arrive"
  | "report"
  | "verify"
  | "close"
  | "reopen"
  | "shelve"
  | "unshelve"
  | "pause"
  | "resume"
  | "note";

export const VERDICTS = ["true", "suspicious", "false_alarm", "duplicate"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Causes of a false alarm, in the order of their digit. */
export const CAUSES = ["animal", "light", "weather", "shadow", "authorised", "vehicle", "camera", "plants", "other"] as const;

/** Causes of what was true or suspicious, in the order of their digit. */
export const REASONS = ["trespass", "theft", "dispute", "hazard", "obstruction", "damage", "help", "other"] as const;
export type Cause = (typeof CAUSES)[number] | (typeof REASONS)[number] | "same_matter";

/** What a report by a person is about. */
export const CATEGORIES = ["public_order", "traffic", "fire", "environment", "facility", "dispute", "help", "other"] as const;
export type Category = (typeof CATEGORIES)[number];

export interface ReportRequest {
  command_id: string;
  origin: "hotline";
  category: Category;
  severity: Level;
  text: string;
  caller?: string;
  lon?: number;
  lat?: number;
  grid_cell?: string;
}

export interface Desk {
  id: string;
  name: Bilingual;
  /** Referrals not accepted yet, and those that the desk answers for. */
  waiting: number;
  accepted: number;
}

export type Box = [left: number, top: number, right: number, bottom: number];

export interface Actor {
  kind: "user" | "team" | "system";
  id: string;
  name: string;
}

export interface Choice {
  team: string;
  reason: Bilingual;
}

export interface Proposal {
  team: string | null;
  reason: Bilingual;
  shortfall: Bilingual | null;
  /** Place whose responsible person decides when nobody can be sent. */
  escalate_to?: string | null;
  alternatives: Choice[];
}

export interface Due {
  step: string;
  at: string;
}

/** One page of a list, newest first; `next` is to be given as `before` for the page after it. */
export interface IncidentPage {
  items: Incident[];
  next: string | null;
}

export interface Incident {
  id: string;
  number: number;
  origin: "event" | "patrol" | "hotline" | "inspection";
  category: string;
  /** Of its events; null while it has none. */
  kind: string | null;
  label: string;
  /** What was reported, in words; empty for events. */
  summary: string;
  caller: string | null;
  severity: Level;
  /** Empty while no event belongs to it. */
  camera: string;
  cameras: string[];
  compound: string;
  grid_cell: string;
  community: string;
  lon: number | null;
  lat: number | null;
  condition: string;
  work: Work;
  owner: Actor | null;
  team: string | null;
  version: number;
  verdict: Verdict | null;
  cause: string;
  event_count: number;
  began_at: string;
  opened_at: string;
  last_event_at: string;
  stages: Partial<Record<Work, string>>;
  due: Due | null;
  /** Of the running clock: 1 warned, 2 breached, 3 to 5 escalated. */
  told: number;
  paused_since: string | null;
  shelved_until: string | null;
  duplicate_of: string | null;
  best_event: string;
  box: Box;
  score: number;
  /** Teams that refused, in order. */
  refused?: string[];
  proposal: Proposal | null;
}

export interface HistoryEntry {
  version: number;
  step: string;
  at: string;
  recorded_at: string;
  by: Actor;
  team: string | null;
  text: string;
  verdict: string | null;
  cause: string;
  flags?: string[];
  clock?: string | null;
  level?: string | null;
  place?: string | null;
  other?: string | null;
  until?: string | null;
}

export interface EventRecord {
  id: string;
  camera: string;
  kind: string;
  label: string;
  rule: string;
  zone: string;
  severity: Level;
  began_at: string;
  raised_at: string;
  ended_at: string | null;
  score: number;
  box: Box;
  seen_by: string;
  network: string;
  path: [number, number, number][];
  /** Of the second opinion before an alarm of level 1 or 2; empty: nobody looked. */
  opinion: "" | "confirmed" | "doubted" | "contradicted" | "late";
  delay_s: number;
  look_s: number;
}

/** The video of one event; see docs/ref/api.md. */
export interface ClipRecord {
  event: string;
  camera: string;
  began_at: string;
  ended_at: string;
  frames: number;
  codec: "h264" | "h265";
  width_px: number;
  height_px: number;
  bytes: number;
  sha256: string;
  reencoded: boolean;
  gaps: { began_at: string; ended_at: string; cause: "not_sent" | "not_kept" | "cut" }[];
}

/** A camera that sees where an incident happened. */
export interface RelatedCamera {
  camera: string;
  pixels_per_metre: number;
  distance_m: number;
}

export interface IncidentDetail extends Incident {
  history: HistoryEntry[];
  events: EventRecord[];
}

export interface CameraStatus {
  id: string;
  health: Health;
  quality: Quality;
  since: string | null;
  last_frame_at: string | null;
  frames_per_s: number;
  kbit_per_s: number;
  gop_s: number;
  codec: string;
  width_px: number;
  height_px: number;
  loss: number;
  skew_s: number | null;
  awake: boolean;
  /** What to look at, most urgent first: keys of `advice.…`. */
  advice: readonly string[];
  error: string;
}

export type TeamStatus = "available" | "dispatched" | "accepted" | "en_route" | "on_scene" | "off_shift";

export interface Team {
  id: string;
  name: Bilingual;
  kind: string;
  grid_cells: string[];
  on_shift: boolean;
  status: TeamStatus;
  incident: string | null;
  lon: number | null;
  lat: number | null;
  position_at: string | null;
}

export interface User {
  id: string;
  name: string;
  role: Exclude<Role, "team">;
  /** As those of a principal. */
  areas: string[];
}

/** A photo that goes with a report or an arrival, without its picture. */
export interface PhotoRecord {
  id: string;
  incident: string;
  at: string;
  recorded_at: string;
  by: Actor;
  sha256: string;
  width_px: number;
  height_px: number;
  /** Whether the picture is still there. */
  kept: boolean;
}

/** A further team at an incident; a team's own call for help is one, too, and then `by` is that team. */
export interface SupportRecord {
  id: string;
  incident: string;
  team: string;
  state: "en_route" | "on_scene" | "done";
  sent_at: string;
  arrived_at: string | null;
  done_at: string | null;
  by: string;
}

/** One incident at one desk. */
export interface Referral {
  id: string;
  incident: string;
  desk: string;
  state: "sent" | "accepted" | "done" | "returned" | "withdrawn";
  due_at: string | null;
  /** Of the running clock: 1 warned, 2 breached, 3 to 5 escalated. */
  told: number;
}

export interface PhoneLink {
  code: string;
  path: string;
  expires_at: string;
}

export interface ZoneProperties {
  name_zh: string;
  name_en: string;
  polygon: [number, number][];
}

export interface CameraProperties {
  id: string;
  name_zh: string;
  name_en: string;
  compound: string;
  grid_cell: string;
  azimuth_deg: number;
  hfov_deg: number;
  tilt_deg: number;
  height_m: number;
  /** The switch that feeds it; empty if the site does not say. */
  uplink: string;
  enabled: boolean;
  has_main: boolean;
  zones?: ZoneProperties[];
}

export interface PlaceProperties {
  id: string;
  kind: "sub_district" | "community" | "compound" | "grid_cell" | "building";
  name_zh: string;
  name_en: string;
  parent: string;
  compound_kind: string | null;
}

export interface CheckpointProperties {
  id: string;
  name_zh: string;
  name_en: string;
  grid_cell: string;
  key_node?: boolean;
}

export interface SiteRecord {
  id: string;
  name: Bilingual;
  timezone: string;
  bounds: [west: number, south: number, east: number, north: number];
  places: GeoJSON.FeatureCollection<GeoJSON.Polygon, PlaceProperties>;
  cameras: GeoJSON.FeatureCollection<GeoJSON.Point, CameraProperties>;
  checkpoints: GeoJSON.FeatureCollection<GeoJSON.Point, CheckpointProperties>;
}

export interface StepRequest {
  step: StepName;
  version: number;
  command_id: string;
  team?: string;
  text?: string;
  verdict?: Verdict;
  cause?: string;
  /** When a shelf ends. */
  until?: string;
  /** Original time of a command that waited for the network. */
  at?: string;
}

/** Nobody took over in time when the shifts of the control room changed; it stands until both sides have signed a sheet. */
export interface HandoverAlarm {
  change_at: string;
  raised_at: string;
}

export type Update =
  | { type: "hello"; epoch: string; seq: number; now: string }
  | { type: "incident"; seq: number; incident: Incident }
  | { type: "camera"; seq: number; camera: CameraStatus }
  | { type: "team"; seq: number; team: Team }
  | { type: "round"; seq: number; round: Round }
  | { type: "referral"; seq: number; referral: Referral }
  | { type: "handover"; seq: number; handover: { alarms: HandoverAlarm[] } }
  | { type: "support"; seq: number; support: SupportRecord }
  | { type: "coverage"; seq: number; coverage: CoverageNews }
  | { type: "reset"; seq?: number }
  | { type: "ping"; now: string };
