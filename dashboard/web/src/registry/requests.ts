/** The requests of the registry. */

import { get, id, request } from "../api";
import type { Draft } from "./editor/draft";
import type {
  Changed,
  Configured,
  Encoder,
  Entry,
  Geometry,
  Imported,
  ListedEntry,
  Login,
  RegistryFacts,
  Version,
  VersionDetail,
} from "./records";

/** A device may take its time to answer ONVIF. */
const ENCODER_TIMEOUT_MS = 30_000;
const IMPORT_TIMEOUT_MS = 60_000;

async function send<T>(method: string, path: string, value?: unknown, timeout_ms?: number): Promise<T> {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const response = await request(method, `/registry${path}`, body, undefined, timeout_ms);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export type FileFormat = "csv" | "xlsx" | "geojson";

export const registry = {
  facts: () => get<RegistryFacts>("/registry"),
  cameras: async () => (await get<{ cameras: ListedEntry[] }>("/registry/cameras")).cameras,
  camera: (camera: string) => get<Configured>(`/registry/cameras/${id(camera)}`),
  create: (camera: Entry) => send<Changed>("POST", "/cameras", { camera }),
  /** All of what is given or none of it; what is left out stays. */
  replace: (digest: string, camera: string, parts: Partial<Draft>) => send<Changed>("PUT", `/cameras/${id(camera)}`, { digest, ...parts }),
  remove: (digest: string, camera: string) => send<Changed>("DELETE", `/cameras/${id(camera)}?digest=${id(digest)}`),
  change: (cameras: Record<string, string>, set: Record<string, unknown>) => send<Changed>("POST", "/cameras/changes", { cameras, set }),
  geometry: (camera: Entry) => send<Geometry>("POST", "/geometry", { camera }),
  encoder: (camera: string) => send<Encoder>("GET", `/cameras/${id(camera)}/encoder`, undefined, ENCODER_TIMEOUT_MS),
  makeAnalysable: (camera: string) =>
    send<{ before: Encoder; after: Encoder }>("POST", `/cameras/${id(camera)}/encoder`, {}, ENCODER_TIMEOUT_MS),
  /** `digest`: that of the dry run; null makes the dry run. */
  async importFile(file: Blob, format: FileFormat, digest: string | null): Promise<Imported> {
    const asked = digest === null ? "dry_run=true" : `dry_run=false&digest=${id(digest)}`;
    const path = `/registry/import?format=${format}&${asked}`;
    const response = await request("POST", path, file, "application/octet-stream", IMPORT_TIMEOUT_MS);
    return (await response.json()) as Imported;
  },
  setLogin: (name: string, user: string, password: string) =>
    send<{ credential: Login; live: string[]; after_restart: { what: string; why: string }[] }>("PUT", `/credentials/${id(name)}`, { user, password }),
  removeLogin: (name: string) => send<undefined>("DELETE", `/credentials/${id(name)}`),
  versions: (before: number | null) =>
    get<{ items: Version[]; next: number | null }>(`/registry/versions?limit=50${before === null ? "" : `&before=${before}`}`),
  version: (version: number) => get<VersionDetail>(`/registry/versions/${version}`),
  restore: (version: number, digest: string) => send<Changed>("POST", `/versions/${version}/restore`, { digest }),
};

export function exportFile(format: FileFormat): string {
  return `/api/v1/registry/export?format=${format}`;
}
