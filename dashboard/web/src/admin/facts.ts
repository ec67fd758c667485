/** Which part of the administration is shown, and what of the audit was asked for: they stand in the address. */

import { signal } from "@preact/signals";

import type { AuditAsked } from "./requests";

export const MODES = ["users", "system", "sessions", "audit", "notices", "desks", "limits", "networks"] as const;
export type Mode = (typeof MODES)[number];

export const mode = signal<Mode>("users");
export const auditAsked = signal<AuditAsked>({ actor: "", action: "", text: "" });
