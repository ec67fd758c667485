/** The requests of the coverage page. */

import { get, id, post } from "../api";
import type { Band, Coverage, CoverageHistory, Light, PlannedCamera, StopProposal, Stream, Views } from "./records";

/** The planner works for seconds; the server makes one plan at a time. */
const PLAN_TIMEOUT_MS = 90_000;

export interface LayerAsked {
  stream: Stream;
  band: Band;
  light: Light;
}

const moment = (at: string | null): string => (at ? `at=${id(at)}` : "");

export const coverageApi = {
  coverage: (at: string | null) => get<Coverage>(`/coverage?${moment(at)}`),
  views: ({ stream, band, light }: LayerAsked, at: string | null) =>
    get<Views>(`/coverage/views?stream=${stream}&band=${band}&light=${light}&${moment(at)}`),
  history: (from: string, to: string, points: number, place: string | null) =>
    get<CoverageHistory>(`/coverage/history?from=${id(from)}&to=${id(to)}&points=${points}${place ? `&place=${id(place)}` : ""}`),
  accept: (proposal: string) => post<StopProposal>(`/coverage/proposals/${id(proposal)}/accept`, {}),
  plan: async (count: number, place: string | null) =>
    (await post<{ items: PlannedCamera[] }>("/coverage/plan", place ? { count, place } : { count }, PLAN_TIMEOUT_MS)).items,
};

export function reportFile(format: "csv" | "xlsx", language: "zh" | "en"): string {
  return `/api/v1/coverage/report?format=${format}&language=${language}`;
}
