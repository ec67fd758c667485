/** What the server tells a team of its own work. Times are ISO 8601 in UTC. */

import type { Duty } from "../board/records";
import type { Bilingual, Incident, SupportRecord } from "../records";

/** What a team supports, with the incident; its own call for help is one, too. */
export interface OwnSupport extends SupportRecord {
  about: Incident;
}

export interface OwnShift {
  on_shift: boolean;
  /** Null off shift; `until` also for a shift whose end is not near. */
  since: string | null;
  until: string | null;
  grid_cells: string[];
  next: Duty | null;
  /** Dispatched so often in the last 12 hours. */
  load: number;
  /** Why others are sent before this team. */
  rest: Bilingual | null;
}

/** Where a phone is. */
export interface Fix {
  lon: number;
  lat: number;
  accuracy_m: number;
}

export interface CheckInRequest {
  command_id: string;
  checkpoint: string;
  code?: string;
  place?: Fix;
  at: string;
}
