import { word } from "../i18n";

/** What an incident is about: the kind of its events, or the category that a person gave it. */
export function matter(incident: { kind: string | null; category: string }): string {
  return incident.kind ? word("kind", incident.kind) : word("category", incident.category);
}
