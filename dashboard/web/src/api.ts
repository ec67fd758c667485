/** The server's REST interface, one function per request. Every failure is an `ApiError` with a sentence for people. */

import type { BoardRow, Duty, Handover, Round, Sheet, StaffingGap } from "./board/records";
import type { CheckInRequest, OwnShift, OwnSupport } from "./phone/records";
import type {
  CameraStatus,
  ClipRecord,
  Desk,
  HandoverAlarm,
  Incident,
  IncidentPage,
  IncidentDetail,
  PhoneLink,
  PhotoRecord,
  Proposal,
  RelatedCamera,
  ReportRequest,
  Session,
  SiteRecord,
  StepRequest,
  SupportRecord,
  Team,
  User,
} from "./records";
import type { Problem } from "./registry/records";
import type { Coding } from "./wall/pictures";

const BASE = "/api/v1";
/** Requests that take longer count as a lost connection. */
const TIMEOUT_MS = 15_000;

/** What a refusal, of the registry or of a live picture, says besides its sentence. */
export interface Refusal {
  /** The page decodes what the camera sends, so it should take the packets. */
  packets?: Coding;
  /** As many cameras are transcoded as may. */
  transcodes?: { codec: string; most: number; running: number };
  problems?: Problem[];
  /** Who made the newest version, when somebody was faster. */
  by?: string;
}

/** `status` is the HTTP status, or 0 when no answer came; `current` is set iff another operator was faster (409). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly current: Incident | null = null,
    readonly more: Refusal = {},
  ) {
    super(message);
  }

  get offline(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => "");
  try {
    const body = JSON.parse(text) as { detail?: unknown; current?: Incident } & Refusal;
    const detail = typeof body.detail === "string" ? body.detail : JSON.stringify(body.detail ?? body);
    return new ApiError(response.status, detail, body.current ?? null, body);
  } catch {
    return new ApiError(response.status, text.slice(0, 200) || `HTTP ${response.status}`);
  }
}

/** With a `team` the server takes it only from a phone of that team; from everybody else it is a 401. */
export async function request(
  method: string,
  path: string,
  body?: BodyInit,
  contentType?: string,
  timeout_ms = TIMEOUT_MS,
  team = "",
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      credentials: "same-origin",
      signal: AbortSignal.timeout(timeout_ms),
      ...(body !== undefined && { body }),
      headers: { ...(body !== undefined && { "Content-Type": contentType ?? "application/json" }), ...(team && { "X-Gridpatrol-Team": team }) },
    });
  } catch (reason) {
    throw new ApiError(0, reason instanceof Error ? reason.message : String(reason));
  }
  if (!response.ok) throw await failure(response);
  return response;
}

export async function get<T>(path: string): Promise<T> {
  return (await (await request("GET", path)).json()) as T;
}

export async function post<T>(path: string, value: unknown, timeout_ms = TIMEOUT_MS): Promise<T> {
  const response = await request("POST", path, JSON.stringify(value), undefined, timeout_ms);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** What a team pressed on its phone. */
async function sendAs<T>(team: string, method: "POST" | "PUT", path: string, value: unknown): Promise<T> {
  return (await (await request(method, path, JSON.stringify(value), undefined, TIMEOUT_MS, team)).json()) as T;
}

async function put(path: string, value: unknown): Promise<void> {
  await request("PUT", path, JSON.stringify(value));
}

/** A photo takes longer than other requests where the network is poor; the server waits as long. */
const PHOTO_TIMEOUT_MS = 70_000;

export const id = encodeURIComponent;

const hangingUp = new Set<Promise<unknown>>();

/** A random UUID (RFC 9562 §5.4). `crypto.randomUUID` exists only on https and localhost; a control room may use neither. */
export function newCommandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const api = {
  setupNeeded: () => get<{ needed: boolean }>("/setup"),
  setup: (secret: string, name: string, password: string) => post<Session>("/setup", { secret, name, password }),
  session: () => get<Session>("/session"),
  signIn: (name: string, password: string) => post<Session>("/session", { name, password }),
  signInTeam: (code: string) => post<Session>("/session/team", { code }),
  /** Live pictures that are being hung up go first: without a session the server would refuse it. */
  async signOut(): Promise<void> {
    await Promise.all(hangingUp);
    await request("DELETE", "/session");
  },

  site: () => get<SiteRecord>("/site"),
  cameras: async () => (await get<{ items: CameraStatus[] }>("/cameras")).items,
  teams: async () => (await get<{ items: Team[] }>("/teams")).items,
  incidents: (state: "open" | "closed" | "all", limit: number, before?: string) =>
    get<IncidentPage>(
      `/incidents?state=${state}&limit=${limit}${before ? `&before=${id(before)}` : ""}`,
    ),
  urgent: () => get<{ items: Incident[] }>("/incidents?state=open&severity=1&limit=100"),
  incident: (incident: string) => get<IncidentDetail>(`/incidents/${id(incident)}`),
  relatedCameras: async (incident: string) => (await get<{ items: RelatedCamera[] }>(`/incidents/${id(incident)}/cameras`)).items,
  relatedIncidents: async (incident: string) => (await get<{ items: Incident[] }>(`/incidents/${id(incident)}/related`)).items,
  clips: async (incident: string) => (await get<{ items: ClipRecord[] }>(`/incidents/${id(incident)}/clips`)).items,
  proposal: (incident: string) => get<Proposal>(`/incidents/${id(incident)}/proposal`),
  reportMatter: (report: ReportRequest) => post<Incident>("/incidents", report),
  merge: (incident: string, into: string, version: number, command_id: string) =>
    post<Incident>(`/incidents/${id(incident)}/merge`, { into, version, command_id }),
  split: (incident: string, events: string[], version: number, command_id: string) =>
    post<Incident>(`/incidents/${id(incident)}/split`, { events, version, command_id }),
  desks: async () => (await get<{ items: Desk[] }>("/desks")).items,
  refer: (incident: string, desk: string, reason: string, command_id: string) =>
    post<unknown>(`/incidents/${id(incident)}/referrals`, { command_id, desk, reason }),
  sendSupport: (incident: string, team: string, support: string) => post<unknown>(`/incidents/${id(incident)}/support`, { id: support, team }),
  markDrill: (incident: string, drill: boolean, reason: string) => put(`/incidents/${id(incident)}/drill`, { drill, reason }),
  hold: (incident: string, hold: string, reason: string, until: string) => post<unknown>(`/incidents/${id(incident)}/holds`, { id: hold, reason, until }),
  step: (incident: string, command: StepRequest) => post<Incident>(`/incidents/${id(incident)}/steps`, command),

  board: async () => (await get<{ items: BoardRow[] }>("/teams/board")).items,
  rounds: async (from: string, to: string) => (await get<{ items: Round[] }>(`/rounds?from=${id(from)}&to=${id(to)}&limit=200`)).items,
  shifts: async (from: string, to: string) => (await get<{ items: Duty[] }>(`/shifts?from=${id(from)}&to=${id(to)}`)).items,
  staffingGaps: async (from: string, to: string) =>
    (await get<{ items: StaffingGap[] }>(`/staffing-gaps?from=${id(from)}&to=${id(to)}`)).items,
  handovers: async () => (await get<{ items: Handover[] }>("/handovers?limit=5")).items,
  handoverAlarms: async () => (await get<{ alarms: HandoverAlarm[] }>("/handovers?limit=1")).alarms,
  handoverDraft: async () => (await get<{ content: Sheet }>("/handovers/draft")).content,
  offerHandover: (handover: string, notes: string) => post<Handover>("/handovers", { id: handover, notes }),
  confirmHandover: (handover: string, sha256: string, remark: string) =>
    post<Handover>(`/handovers/${id(handover)}/confirm`, { sha256, remark }),
  withdrawHandover: (handover: string) => post<Handover>(`/handovers/${id(handover)}/withdraw`, {}),

  phoneLink: (team: string) => post<PhoneLink>(`/teams/${id(team)}/phone`, {}),
  users: async () => (await get<{ items: User[] }>("/users")).items,
  addUser: (name: string, password: string, role: User["role"], areas: readonly string[]) =>
    post<User>("/users", { name, password, role, areas }),
  changeUser: (user: string, role: User["role"], areas: readonly string[]) => put(`/users/${id(user)}`, { role, areas }),

  photos: async (incident: string) => (await get<{ items: PhotoRecord[] }>(`/incidents/${id(incident)}/photos`)).items,

  stepAs: (team: string, incident: string, command: StepRequest) => sendAs<Incident>(team, "POST", `/incidents/${id(incident)}/steps`, command),
  /** `command` is that of the report the photo goes with; the same `photo` id again changes nothing. */
  async addPhotoAs(team: string, incident: string, photo: string, command: string, at: string, jpeg: Blob): Promise<void> {
    const asked = `id=${id(photo)}&command=${id(command)}&at=${id(at)}`;
    await request("POST", `/incidents/${id(incident)}/photos?${asked}`, jpeg, "image/jpeg", PHOTO_TIMEOUT_MS, team);
  },
  checkInAs: (team: string, round: string, body: CheckInRequest) => sendAs<Round>(team, "POST", `/rounds/${id(round)}/check-ins`, body),
  skipStopAs: (team: string, round: string, body: { command_id: string; checkpoint: string; reason: string; at: string }) =>
    sendAs<Round>(team, "POST", `/rounds/${id(round)}/steps`, { step: "skip", ...body }),
  moveSupportAs: (team: string, incident: string, state: SupportRecord["state"], at: string) =>
    sendAs<SupportRecord>(team, "PUT", `/incidents/${id(incident)}/support/${id(team)}`, { state, at }),
  callForHelpAs: (team: string, call: { id: string; text: string; lon?: number; lat?: number; at: string }) =>
    sendAs<OwnSupport>(team, "POST", "/me/sos", call),

  myRounds: async () => (await get<{ items: Round[] }>("/me/rounds")).items,
  mySupport: async () => (await get<{ items: OwnSupport[] }>("/me/support")).items[0] ?? null,
  myShift: () => get<OwnShift>("/me/shift"),
  assignments: async () => (await get<{ items: Incident[] }>("/me/assignments")).items,
  position: (lon: number, lat: number, accuracy_m: number, at: string) =>
    post<undefined>("/me/position", { lon, lat, accuracy_m, at }),

  /** WHEP (RFC 9725): offer in, answer out; `resource` is deleted to hang up. */
  async whep(
    camera: string,
    stream: "sub" | "main",
    offer: string,
    decodes: readonly Coding[],
  ): Promise<{ answer: string; resource: string }> {
    const query = [`stream=${stream}`, ...decodes.map((coding) => `decodes=${coding}`)].join("&");
    const response = await request("POST", `/cameras/${id(camera)}/whep?${query}`, offer, "application/sdp");
    return { answer: await response.text(), resource: response.headers.get("Location") ?? "" };
  },
  async hangUp(resource: string): Promise<void> {
    const done = fetch(resource, { method: "DELETE", credentials: "same-origin", keepalive: true }).catch(() => undefined);
    hangingUp.add(done);
    await done;
    hangingUp.delete(done);
  },
};

/** Address of a camera's newest picture; `stamp` makes the browser ask again. */
export function cameraPicture(camera: string, stamp: number): string {
  return `${BASE}/cameras/${id(camera)}/snapshot?t=${stamp}`;
}

export function photoPicture(photo: string): string {
  return `${BASE}/photos/${id(photo)}`;
}

export function eventPicture(event: string): string {
  return `${BASE}/events/${id(event)}/snapshot`;
}

/** Address of the clip of an event. */
export function eventClip(event: string): string {
  return `${BASE}/events/${id(event)}/clip`;
}
