/** What can be set of each table of the settings files: the keys of docs/ref/site-folder.md and docs/ref/notifications.md, as fields of a form. */

import { word } from "../i18n";
import { texts } from "./entered";
import type { Values } from "./requests";

export type Options = readonly (readonly [value: string, text: string])[];

/** What else there is to choose from. */
export interface Around {
  targets: readonly string[];
  logins: readonly string[];
}

export interface Field {
  key: string;
  /** `list`: words between commas; `ticks`: several of a closed set; `places`: communities and grid cells. */
  kind: "text" | "number" | "choice" | "list" | "ticks" | "places";
  options?: (around: Around) => Options;
  needed?: boolean;
  /** What holds when nothing is entered, or what it looks like. */
  example?: string;
  /** Its choices are numbers. */
  numeric?: boolean;
}

export type TableName = "desk" | "limit" | "hours" | "section" | "webhook" | "robot" | "email" | "mqtt" | "rule";
/** Besides the tables, what stands above them. */
export type FormName = TableName | "limits" | "notifications";

export const TARGET_TABLES = ["webhook", "robot", "email", "mqtt"] as const satisfies readonly TableName[];

const STEPS = ["acknowledge", "dispatch", "accept", "arrive", "report", "verify", "close"] as const;
const CATEGORIES = ["public_order", "traffic", "fire", "environment", "facility", "dispute", "help", "camera_health", "other"] as const;
const DESK_KINDS = [
  ...["mediation", "legal_aid", "counselling", "property", "medical", "elder_care"],
  ...["culture", "schooling", "home_service", "resettlement", "other"],
];
const COMPOUND_KINDS = ["residential", "enterprise", "commerce", "institution", "school", "hospital", "road"] as const;
const NOTICE_KINDS = [
  ...["opened", "dispatch", "refuse", "warned", "breached", "escalated", "close", "reopen"],
  ...["referral_refer", "referral_feedback", "referral_done", "referral_return", "referral_withdraw"],
  ...["referral_warned", "referral_breached", "referral_escalated", "stop_missed", "stop_made_up"],
  ...["camera_offline", "camera_back", "drill_began", "drill_ended", "handover_missing", "handover_signed", "backup_failed", "other"],
];
const LEVELS = ["cell", "section", "community", "sub_district"] as const;
const SEVERITIES: Options = ["1", "2", "3", "4"].map((one) => [one, one] as const);

const among = (values: readonly string[], text: (value: string) => string) => (): Options => values.map((one) => [one, text(one)] as const);
const plain = (...values: string[]) => among(values, (one) => one);
const logins = ({ logins: known }: Around): Options => known.map((one) => [one, one] as const);

const ID: Field = { key: "id", kind: "text", needed: true };
const NAMES: readonly Field[] = [
  { key: "name_zh", kind: "text" },
  { key: "name_en", kind: "text" },
];
const LANGUAGE: Field = { key: "language", kind: "choice", options: () => [["zh", "中文"], ["en", "English"]], example: "zh" };

export const FIELDS: Readonly<Record<FormName, readonly Field[]>> = {
  desk: [
    { ...ID, example: "mediation" },
    ...NAMES,
    { key: "kind", kind: "choice", needed: true, options: among(DESK_KINDS, (one) => word("desks.kind", one)) },
    { key: "opening_hours", kind: "text", example: "mon-fri 08:30-17:30" },
    { key: "receipt_min", kind: "number", example: "30" },
    { key: "feedback_min", kind: "number", example: "480" },
    { key: "users", kind: "list", example: "chen, li.na" },
    { key: "responsible", kind: "text" },
    { key: "places", kind: "places" },
  ],
  limits: [
    { key: "warn_at", kind: "number", example: "0.8" },
    { key: "escalate_after", kind: "list", numeric: true, example: "0.5, 1, 2" },
    { key: "working_hours", kind: "text", example: "mon-fri 08:30-12:00, mon-fri 13:30-17:30" },
    { key: "handover_at", kind: "text", example: "08:00, 20:00" },
    { key: "handover_alarm_min", kind: "number", example: "30" },
  ],
  limit: [
    { key: "severity", kind: "ticks", needed: true, numeric: true, options: () => SEVERITIES },
    { key: "category", kind: "ticks", options: among(CATEGORIES, (one) => word("category", one)) },
    ...STEPS.map((step): Field => ({ key: `${step}_min`, kind: "number" })),
    { key: "in_working_time", kind: "ticks", options: among(STEPS, (one) => word("reports.step", one)) },
  ],
  hours: [
    { key: "place", kind: "text", example: "comp-012" },
    { key: "compound_kind", kind: "choice", options: among(COMPOUND_KINDS, (one) => word("setting.compound", one)) },
    { key: "working_hours", kind: "text", needed: true, example: "mon-fri 07:00-17:00" },
  ],
  section: [
    { ...ID, example: "section-3" },
    ...NAMES,
    { key: "grid_cells", kind: "list", needed: true, example: "grid-03-12, grid-03-13" },
    { key: "responsible", kind: "text" },
  ],
  notifications: [
    { key: "page", kind: "text", example: "https://grid.example.org" },
    { key: "keep_trying_h", kind: "number", example: "24" },
    { key: "camera_after_min", kind: "number", example: "5" },
  ],
  webhook: [
    { ...ID, example: "city-hall" },
    LANGUAGE,
    { key: "url", kind: "text", needed: true, example: "https://city.example.org/in" },
    { key: "secret", kind: "choice", options: logins },
    { key: "body", kind: "choice", options: plain("json", "cap"), example: "json" },
  ],
  robot: [
    { ...ID, example: "duty-group" },
    LANGUAGE,
    { key: "service", kind: "choice", needed: true, options: among(["wecom", "dingtalk", "feishu"], (one) => word("notices.channel", one)) },
    { key: "token", kind: "choice", needed: true, options: logins },
    { key: "secret", kind: "choice", options: logins },
    { key: "url", kind: "text", example: "https://im.example.org/robot/send" },
  ],
  email: [
    { ...ID, example: "secretary" },
    LANGUAGE,
    { key: "to", kind: "list", needed: true, example: "duty@example.org" },
    { key: "sender", kind: "text", needed: true, example: "grid@example.org" },
    { key: "server", kind: "text", needed: true, example: "smtp.example.org" },
    { key: "port", kind: "number", example: "587" },
    { key: "security", kind: "choice", options: plain("tls", "starttls", "none"), example: "starttls" },
    { key: "login", kind: "choice", options: logins },
  ],
  mqtt: [
    { ...ID, example: "home" },
    LANGUAGE,
    { key: "url", kind: "text", needed: true, example: "mqtts://broker.example.org" },
    { key: "login", kind: "choice", options: logins },
    { key: "prefix", kind: "text", example: "gridpatrol" },
    { key: "version", kind: "choice", options: plain("5", "3.1.1"), example: "5" },
    { key: "discovery", kind: "text", example: "homeassistant" },
  ],
  rule: [
    { key: "targets", kind: "ticks", needed: true, options: ({ targets }) => targets.map((one) => [one, one] as const) },
    { key: "kinds", kind: "ticks", options: among(NOTICE_KINDS, (one) => word("notices.kind", one)) },
    { key: "severity", kind: "choice", numeric: true, options: () => SEVERITIES, example: "4" },
    { key: "levels", kind: "ticks", options: among(LEVELS, (one) => word("escalation", one)) },
    { key: "places", kind: "places" },
    { key: "group_s", kind: "number", example: "10" },
    { key: "quiet", kind: "text", example: "22:00-07:00" },
  ],
};

export function label(form: FormName, key: string): string {
  const own = word("setting", `${form}.${key}`);
  return own === `${form}.${key}` ? word("setting", key) : own;
}

/** The host of an address; the rest may hold its key. */
function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : "";
}

/** A table in one line, its name and what else is set. */
export function summary(form: FormName, values: Values, around: Around): string {
  return FIELDS[form]
    .filter(({ key }) => key !== "id" && values[key] !== undefined)
    .map((field) => {
      const known = new Map(field.options?.(around));
      const told = texts(values[field.key]).map((one) => known.get(one) ?? (field.key === "url" ? hostOf(one) : one));
      return `${label(form, field.key).replace(/\s*[(（].*[)）]$/, "")}: ${told.join(", ")}`;
    })
    .join(" · ");
}
