import "./teams.css";

import { useState } from "preact/hooks";

import { api } from "../api";
import { lapse, now } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, word } from "../i18n";
import { matter } from "../incident/matter";
import type { PhoneLink, Team } from "../records";
import { show } from "../shell/desk";
import { incidents, inLanguage, mayDispatch, placeById, placeName, say, teams } from "../state";
import { PhoneLinkDialog } from "./PhoneLinkDialog";

const BUSY_FIRST = ["dispatched", "accepted", "en_route", "on_scene", "available", "off_shift"];

/** Teams by status and cell; from here a team's phone is connected. */
export function Teams() {
  const [phone, setPhone] = useState<{ team: Team; link: PhoneLink } | null>(null);
  const all = [...teams.value.values()].sort(
    (a, b) => BUSY_FIRST.indexOf(a.status) - BUSY_FIRST.indexOf(b.status) || a.id.localeCompare(b.id),
  );
  const connect = async (team: Team): Promise<void> => {
    try {
      setPhone({ team, link: await api.phoneLink(team.id) });
    } catch (reason) {
      say(reason instanceof Error ? reason.message : String(reason), "fault");
    }
  };
  return (
    <main class="page single" aria-label={t("teams.title")} data-testid="teams">
      <section class="page-list">
        <header class="page-head">
          <h1>{t("teams.title")}</h1>
          <span class="page-count num">
            {t("teams.on_shift")} {all.filter((team) => team.on_shift).length} / {all.length}
          </span>
        </header>
        <div class="table-scroll">
          <table class="table">
            <thead>
              <tr>
                <th>{t("teams.column.team")}</th>
                <th>{t("teams.column.status")}</th>
                <th>{t("teams.column.incident")}</th>
                <th>{t("teams.column.cells")}</th>
                <th>{t("teams.column.position")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {all.map((team) => (
                <Row key={team.id} team={team} onPhone={() => void connect(team)} />
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {phone && <PhoneLinkDialog team={phone.team} link={phone.link} onClose={() => setPhone(null)} />}
    </main>
  );
}

/** The communities of the cells with the number of cells in each; the cells' names would fill the page. */
function communities(cells: readonly string[]): string {
  const count = new Map<string, number>();
  for (const cell of cells) {
    let place = placeById.value.get(cell);
    while (place && place.kind !== "community") place = placeById.value.get(place.parent);
    const id = place?.id ?? cell;
    count.set(id, (count.get(id) ?? 0) + 1);
  }
  return [...count].map(([id, n]) => (n > 1 ? `${placeName(id)} (${n})` : placeName(id))).join(" · ");
}

function Row({ team, onPhone }: { team: Team; onPhone: () => void }) {
  const incident = team.incident ? incidents.value.get(team.incident) : undefined;
  return (
    <tr class={team.on_shift ? "" : "off"} data-testid="team-row" data-team={team.id} data-status={team.status}>
      <td>
        <strong>{inLanguage(team.name)}</strong>
        <span class="dim">
          {team.id} · {word("team.kind", team.kind)}
        </span>
      </td>
      <td>
        <span class={`team-status ${team.status}`}>
          <i aria-hidden="true" />
          {word("team.status", team.status)}
        </span>
      </td>
      <td>
        {incident && (
          <button type="button" class="btn small" onClick={() => show(incident.id)}>
            <LevelShape level={incident.severity} size={16} hollow={incident.work !== "new"} />
            {matter(incident)} · {placeName(incident.grid_cell)}
          </button>
        )}
      </td>
      <td class="dim" title={team.grid_cells.map(placeName).join(" · ")}>
        {communities(team.grid_cells)}
      </td>
      <td class="num dim">
        {team.position_at ? t("teams.age", { age: lapse(now.value - Date.parse(team.position_at)) }) : t("teams.no_position")}
      </td>
      <td class="right">
        {mayDispatch() && (
          <button type="button" class="btn small" data-testid="team-phone" onClick={onPhone}>
            {t("teams.phone")}
          </button>
        )}
      </td>
    </tr>
  );
}
