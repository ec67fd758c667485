import { useMemo, useRef, useState } from "preact/hooks";

import { find, type Known } from "../commands";
import { Dialog } from "../controls/Dialog";
import { Icon } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { matter } from "../incident/matter";
import { focusOn } from "../map/focus";
import { cameraById, cameraName, inLanguage, incidents, placeName, site, tab, teams, watched } from "../state";
import { commandOpen, show } from "./desk";

function everything(): Known[] {
  const known: Known[] = [];
  for (const one of incidents.value.values()) {
    const detail = `${placeName(one.compound)} · ${cameraName(one.camera)}`;
    known.push({
      type: "incident",
      id: one.id,
      words: `${one.number}`,
      title: `${t("panel.number", { n: one.number })} ${matter(one)}`,
      detail,
    });
  }
  for (const { properties: p } of site.value?.cameras.features ?? []) {
    const words = `${p.id} ${p.name_zh} ${p.name_en} ${placeName(p.compound)}`.toLowerCase();
    known.push({ type: "camera", id: p.id, words, title: `${p.id} ${cameraName(p.id)}`, detail: placeName(p.grid_cell) });
  }
  for (const { properties: p } of site.value?.places.features ?? []) {
    if (p.kind === "building") continue;
    const words = `${p.id} ${p.name_zh} ${p.name_en}`.toLowerCase();
    known.push({ type: "place", id: p.id, words, title: placeName(p.id), detail: p.parent ? placeName(p.parent) : "" });
  }
  for (const team of teams.value.values()) {
    const words = `${team.id} ${team.name.zh} ${team.name.en}`.toLowerCase();
    known.push({ type: "team", id: team.id, words, title: inLanguage(team.name), detail: word("team.status", team.status) });
  }
  return known;
}

function go(known: Known): void {
  commandOpen.value = false;
  tab.value = "room";
  if (known.type === "incident") return show(known.id);
  if (known.type === "camera") {
    const camera = cameraById.value.get(known.id);
    watched.value = known.id;
    if (camera) focusOn(camera.lon, camera.lat);
  } else if (known.type === "team") {
    const team = teams.value.get(known.id);
    if (team) focusOn(team.lon, team.lat);
  } else {
    const place = site.value?.places.features.find((one) => one.properties.id === known.id);
    const ring = place?.geometry.coordinates[0] ?? [];
    const middle = (axis: 0 | 1): number => ring.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / ring.length;
    if (ring.length > 0) focusOn(middle(0), middle(1), place?.properties.kind === "community" ? 15 : 16.5);
  }
}

export function CommandBar() {
  const known = useMemo(everything, [incidents.value.size]);
  const [text, setText] = useState("/");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const found = text.replace(/^\//, "").trim() ? find(text, known) : [];
  const onKey = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") setAt(Math.min(found.length - 1, at + 1));
    else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1));
    else if (event.key === "Enter" && found[at]) go(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t("command.label")} bare onClose={() => (commandOpen.value = false)} testid="command-bar">
      <div class="command-input">
        <Icon name="search" size={18} />
        <input
          ref={input}
          autofocus
          value={text}
          spellcheck={false}
          autocomplete="off"
          aria-label={t("command.label")}
          placeholder={t("command.placeholder")}
          data-testid="command-input"
          onKeyDown={onKey}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
        />
        <span class="key">Esc</span>
      </div>
      <ul class="command-found">
        {found.map((one, index) => (
          <li key={one.id}>
            <button type="button" class={index === at ? "at" : ""} data-testid="command-result" onPointerMove={() => setAt(index)} onClick={() => go(one)}>
              <span class="command-type">{t(`command.${one.type}` as Key)}</span>
              <span class="clip">{one.title}</span>
              <span class="command-detail clip">{one.detail}</span>
            </button>
          </li>
        ))}
        {found.length === 0 && (
          <li class="command-none">
            {text.replace(/^\//, "").trim() ? t("command.none", { text }) : t("command.placeholder")}
          </li>
        )}
      </ul>
    </Dialog>
  );
}
