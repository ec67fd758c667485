/** The command bar: `/cam 0231`, `/grid 03-12`, `/no 24`, or a part of any name. */

export interface Known {
  type: "camera" | "place" | "team" | "incident";
  id: string;
  /** Everything it may be called by, lower case. */
  words: string;
  title: string;
  detail: string;
}

const TYPES: Readonly<Record<string, Known["type"]>> = {
  cam: "camera",
  camera: "camera",
  grid: "place",
  place: "place",
  team: "team",
  no: "incident",
  inc: "incident",
};
const MOST_RESULTS = 9;

export interface Query {
  type: Known["type"] | null;
  text: string;
}

export function parse(input: string): Query {
  const command = /^\/?(\S+)(?:\s+(.*))?$/.exec(input.trim());
  const type = command ? TYPES[(command[1] ?? "").toLowerCase()] : undefined;
  if (command && type && input.trim().startsWith("/")) return { type, text: (command[2] ?? "").trim().toLowerCase() };
  return { type: null, text: input.trim().replace(/^\//, "").toLowerCase() };
}

/** 0 = no match; higher is better: the whole id, its end (0231 of c0231), its beginning, anywhere in the words. Of an incident its number. */
export function rank(query: Query, known: Known): number {
  if (query.type && known.type !== query.type) return 0;
  if (!query.text) return query.type ? 1 : 0;
  const id = known.id.toLowerCase();
  if (id === query.text) return 5;
  if (known.type === "incident") return known.words === query.text ? 4 : known.words.startsWith(query.text) ? 2 : 0;
  if (id.replace(/^\D+/, "") === query.text) return 4;
  if (id.endsWith(query.text)) return 3;
  if (known.words.startsWith(query.text)) return 2;
  return query.text.split(/\s+/).every((part) => known.words.includes(part)) ? 1 : 0;
}

export function find(input: string, known: readonly Known[]): Known[] {
  const query = parse(input);
  return known
    .map((one) => ({ one, rank: rank(query, one) }))
    .filter((found) => found.rank > 0)
    .sort((a, b) => b.rank - a.rank || a.one.id.localeCompare(b.one.id))
    .slice(0, MOST_RESULTS)
    .map((found) => found.one);
}
