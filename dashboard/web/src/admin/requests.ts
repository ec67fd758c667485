/** The requests of the administrator's pages, and what comes back. */

import { get, id, post, request } from "../api";
import { lang } from "../prefs";
import type { Bilingual } from "../records";
import type { Changed } from "../registry/records";

export interface SignedIn {
  id: string;
  kind: "user" | "team";
  name: string;
  name_en: string;
  role: string;
  areas: string[];
  since: string;
  idle_s: number | null;
  expires_at: string;
  own: boolean;
}

export interface AuditRow {
  number: number;
  at: string;
  by: { kind: string; id: string; name: string };
  action: string;
  resource: string;
  detail: string;
}

export interface AuditPage {
  items: AuditRow[];
  next: number | null;
  actions: string[];
}

export interface AuditAsked {
  actor: string;
  action: string;
  text: string;
}

export interface DeskRecord {
  id: string;
  name: Bilingual;
  kind: string;
  opening_hours: string;
  receipt_min: number;
  feedback_min: number;
  users: string[];
  responsible: string;
  places: string[];
  waiting: number;
  accepted: number;
}

export type SettingsName = "desks" | "limits" | "notifications";
export type Value = string | number | boolean | readonly (string | number | boolean)[];
export type Values = Readonly<Record<string, Value>>;

/** A settings file as it stands in the folder. */
export interface Settings {
  file: string;
  version: number;
  digest: string;
  top: Values;
  tables: Readonly<Record<string, readonly Values[]>>;
}

export interface LimitRecord {
  severity: 1 | 2 | 3 | 4;
  step: string;
  limit_s: number;
  default_s: number;
  working_time: boolean;
  categories: Record<string, number>;
}

export interface Limits {
  warn_at: number;
  escalate_after: number[];
  working_hours: string;
  handover_alarm_min: number | null;
  limits: LimitRecord[];
}

export interface NoticeTarget {
  id: string;
  channel: string;
  language: string;
  configured: boolean;
  waiting: number;
  dead: number;
  oldest_at: string | null;
}

export interface Message {
  id: string;
  target: string;
  state: "waiting" | "delivered" | "dead";
  title: string;
  lines: string[];
  made_at: string;
  tries: number;
  tried_at: string | null;
  next_at: string | null;
  delivered_at: string | null;
  error: string;
}

export interface Network {
  name: string;
  file: string;
  present: boolean;
  bytes: number;
  sha256: string;
  url: string;
  origin: string;
  licence: string;
  head: string;
  labels: string[];
  input: string;
  latency_ms: number;
  latency_on: string;
  about: string;
  accuracy: { data: string; label: string; height: string; recall: number; false: number; count: number }[];
}

export interface Figures {
  cores: number | null;
  rss_bytes: number;
  memory_free_bytes: number | null;
  disk_free_bytes: number | null;
  database_bytes: number;
  cameras: number;
  online: number;
  not_watched: number | null;
  over_budget: number | null;
  outbox: number;
  clips_waiting: number;
  notices_waiting: number;
  notices_dead: number;
}

export interface SystemNow {
  at: string;
  machine: { cores: number; memory_bytes: number; disk_bytes: number | null };
  figures: Figures;
  workers: {
    name: string;
    cameras: number;
    restarts: number;
    heard_at: string;
    rss_bytes: number;
    outbox: number;
    clips_waiting: number;
    cameras_wanting: number;
    awake_cores: number;
    budget_cores: number;
    events: number;
  }[];
  advice: { code: string; urgent: boolean; values: Record<string, number | string> }[];
}

export interface SystemHistory {
  from: string;
  to: string;
  points: { at: string; figures: Figures | null }[];
}

const filters = ({ actor, action, text }: AuditAsked): string => `actor=${id(actor)}&action=${id(action)}&text=${id(text)}`;

/** The audit as a file, with the same filters as on the page. */
export function auditFile(asked: AuditAsked, format: "csv" | "xlsx"): string {
  return `/api/v1/audit/export?format=${format}&language=${lang.value}&${filters(asked)}`;
}

const items = async <T>(path: string): Promise<T[]> => (await get<{ items: T[] }>(path)).items;

export const admin = {
  sessions: () => items<SignedIn>("/sessions"),
  endSession: async (session: string) => void (await request("DELETE", `/sessions/${id(session)}`)),
  audit: (asked: AuditAsked, before: number | null) =>
    get<AuditPage>(`/audit?limit=100&${filters(asked)}${before ? `&before=${before}` : ""}`),
  desks: () => items<DeskRecord>("/desks"),
  limits: () => get<Limits>("/limits"),
  settings: (which: SettingsName) => get<Settings>(`/registry/settings/${which}`),
  saveSettings: async (which: SettingsName, settings: Pick<Settings, "digest" | "top" | "tables">) =>
    (await (await request("PUT", `/registry/settings/${which}`, JSON.stringify(settings))).json()) as Changed,
  targets: () => items<NoticeTarget>("/notice-targets"),
  messages: (state: string, target: string, before: string | null) =>
    get<{ items: Message[]; next: string | null }>(
      `/messages?limit=50${state ? `&state=${state}` : ""}${target ? `&target=${id(target)}` : ""}${before ? `&before=${before}` : ""}`,
    ),
  test: async (target: string) => void (await request("POST", `/notice-targets/${id(target)}/test`)),
  retryAll: async (target: string) => (await post<{ count: number }>(`/notice-targets/${id(target)}/retry`, {})).count,
  retry: (message: string) => post<Message>(`/messages/${id(message)}/retry`, {}),
  networks: () => items<Network>("/networks"),
  system: () => get<SystemNow>("/system"),
  systemHistory: (from: string) => get<SystemHistory>(`/system/history?from=${id(from)}`),
};
