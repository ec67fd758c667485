import { useEffect, useState } from "preact/hooks";

import { HealthSign } from "../controls/shapes";
import { Virtual } from "../controls/Virtual";
import { t, word, type Key } from "../i18n";
import { useFreshStatuses } from "../live/fresh";
import type { Health } from "../records";
import { inLanguage, placeName, site, statuses } from "../state";
import { BulkBar } from "./BulkBar";
import { Editor } from "./editor/Editor";
import { editing, entries, entryById, facts, loadRegistry } from "./facts";
import { EVERYTHING, sorted, SORTS, wantedEntries, type Sort, type Wanted } from "./filter";
import type { ListedEntry } from "./records";
import { exportFile } from "./requests";

const ROW_PX = 44;

export function healthOf(camera: string): Health {
  return statuses.value.get(camera)?.health ?? "offline";
}

/** The table of all cameras as they are configured; the one that is edited takes its place. */
export function Registry() {
  useEffect(() => void loadRegistry(), []);
  useFreshStatuses(editing.value === null);
  const edited = editing.value;
  if (edited) return <Editor key={"id" in edited ? edited.id : "draft"} edited={edited} />;
  return <Table />;
}

function Table() {
  const [wanted, setWanted] = useState<Wanted>(EVERYTHING);
  const [sort, setSort] = useState<{ by: Sort; down: boolean }>({ by: "id", down: false });
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const shown = sorted(wantedEntries(entries.value, wanted, healthOf), sort.by, sort.down, healthOf);
  const all = shown.length > 0 && shown.every((one) => chosen.has(one.id));
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <section class="registry" aria-label={t("registry.title")} data-testid="registry">
      <Filters wanted={wanted} onChange={setWanted} count={shown.length} />
      <div class="registry-row registry-columns">
        <input
          type="checkbox"
          checked={all}
          aria-label={t("registry.all")}
          data-testid="registry-all"
          onChange={() => setChosen(all ? new Set() : new Set(shown.map((one) => one.id)))}
        />
        {SORTS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={sort.by === one}
            onClick={() => setSort({ by: one, down: sort.by === one && !sort.down })}
          >
            {word("registry.column", one)}
            {sort.by === one ? (sort.down ? " ↓" : " ↑") : ""}
          </button>
        ))}
        <span>{t("registry.column.lens")}</span>
      </div>
      <Virtual
        class="page-rows"
        label={t("registry.title")}
        ids={shown.map((one) => one.id)}
        rowHeight={ROW_PX}
        testid="registry-list"
        row={(id) => {
          const entry = entryById.value.get(id);
          return entry ? <Row entry={entry} chosen={chosen.has(id)} onChoose={() => toggle(id)} /> : null;
        }}
      />
      {chosen.size > 0 && <BulkBar chosen={chosen} onDone={() => setChosen(new Set())} />}
    </section>
  );
}

interface FiltersProps {
  wanted: Wanted;
  onChange: (wanted: Wanted) => void;
  count: number;
}

function Filters({ wanted, onChange, count }: FiltersProps) {
  const compounds = (site.value?.places.features ?? []).filter((one) => one.properties.kind === "compound").map((one) => one.properties.id);
  const healths: readonly Health[] = ["online", "degraded", "offline"];
  return (
    <header class="page-head registry-head">
      <input
        class="input"
        type="search"
        value={wanted.text}
        placeholder={t("registry.filter")}
        aria-label={t("registry.filter")}
        data-testid="registry-filter"
        onInput={(event) => onChange({ ...wanted, text: event.currentTarget.value })}
      />
      <Choice label={t("registry.column.compound")} value={wanted.compound} options={compounds.map((one) => [one, placeName(one)])} onChange={(compound) => onChange({ ...wanted, compound })} />
      <Choice
        label={t("registry.column.uplink")}
        value={wanted.uplink}
        options={(facts.value?.uplinks ?? []).map((one) => [one, one])}
        onChange={(uplink) => onChange({ ...wanted, uplink })}
      />
      <Choice
        label={t("registry.column.health")}
        value={wanted.health}
        options={healths.map((one) => [one, t(`health.${one}` as Key)])}
        onChange={(health) => onChange({ ...wanted, health: health as Wanted["health"] })}
      />
      <Choice
        label={t("registry.enabled")}
        value={wanted.enabled}
        options={[
          ["yes", t("registry.yes")],
          ["no", t("registry.no")],
        ]}
        onChange={(enabled) => onChange({ ...wanted, enabled: enabled as Wanted["enabled"] })}
      />
      <span class="page-count num" data-testid="registry-count">
        {t("cameras.count", { n: count, all: entries.value.length })}
      </span>
      <a class="btn" href={exportFile("csv")} download>
        {t("registry.export")}
      </a>
      <button type="button" class="btn primary" data-testid="registry-add" onClick={() => (editing.value = { draft: {} })}>
        {t("registry.add")}
      </button>
    </header>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: (readonly [string, string])[];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <select class="input" aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{label}</option>
      {options.map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Row({ entry, chosen, onChoose }: { entry: ListedEntry; chosen: boolean; onChoose: () => void }) {
  const health = healthOf(entry.id);
  return (
    <div class={`registry-row${chosen ? " selected" : ""}`} data-testid="registry-row" data-camera={entry.id}>
      <input type="checkbox" checked={chosen} aria-label={t("registry.choose", { id: entry.id })} onChange={onChoose} />
      <button type="button" class="registry-open num" onClick={() => (editing.value = { id: entry.id })}>
        {entry.id}
      </button>
      <span class="clip">{inLanguage(entry.name)}</span>
      <span class="clip">{placeName(entry.compound)}</span>
      <span class="clip">{entry.uplink || "–"}</span>
      <span class="clip">{entry.credential || "–"}</span>
      {entry.enabled ? (
        <span class={`health ${health}`}>
          <HealthSign health={health} />
          {t(`health.${health}` as Key)}
        </span>
      ) : (
        <span class="dim">{t("coverage.state.disabled")}</span>
      )}
      <span class="num dim clip">
        {Math.round(entry.hfov_deg ?? 0)}° · {entry.height_m} m · {entry.recorded_px.join("×")}
      </span>
    </div>
  );
}
