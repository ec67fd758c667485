import { useState } from "preact/hooks";

import { Virtual } from "../controls/Virtual";
import { t, word } from "../i18n";
import { area, share } from "../numbers";
import { inLanguage, site } from "../state";
import { showShapes } from "./CoverageMap";
import { coverage, place } from "./facts";
import type { PlaceFigure } from "./records";

const KINDS = ["community", "compound", "grid_cell"] as const;
const ROW_PX = 58;

/** Covered shares of communities, compounds and cells; the worst first. */
export function Places() {
  const [kind, setKind] = useState<(typeof KINDS)[number]>("community");
  const all = coverage.value?.places ?? [];
  const shown = all.filter((one) => one.kind === kind).sort((a, b) => a.figure.rate - b.figure.rate);
  const byId = new Map(shown.map((one) => [one.place, one]));
  return (
    <section class="side-part spots" aria-label={t("coverage.places")}>
      <div class="segments" role="group" aria-label={t("coverage.level")}>
        {KINDS.map((one) => (
          <button key={one} type="button" aria-pressed={kind === one} onClick={() => setKind(one)}>
            {word("coverage.kind", one)} <span class="count num">{all.filter((each) => each.kind === one).length}</span>
          </button>
        ))}
      </div>
      <Virtual
        class="page-rows"
        label={t("coverage.places")}
        ids={shown.map((one) => one.place)}
        rowHeight={ROW_PX}
        testid="place-figures"
        row={(id) => {
          const one = byId.get(id);
          return one ? <PlaceRow one={one} /> : null;
        }}
      />
    </section>
  );
}

export function outlineOf(id: string): GeoJSON.Geometry[] {
  const found = site.value?.places.features.find((one) => one.properties.id === id);
  return found ? [found.geometry] : [];
}

function PlaceRow({ one }: { one: PlaceFigure }) {
  const { figure } = one;
  const chosen = place.value === one.place;
  return (
    <button
      type="button"
      class={`row-button place-row${chosen ? " selected" : ""}`}
      aria-current={chosen ? "true" : undefined}
      onClick={() => {
        place.value = chosen ? null : one.place;
        if (!chosen) showShapes(outlineOf(one.place));
      }}
    >
      <span class="two-lines">
        <strong class="clip">{inLanguage(one.name)}</strong>
        <Bar rate={figure.rate} important={figure.important_rate} />
        <span class="dim">
          {area(figure.ground_m2)} · {t("coverage.cameras", { n: figure.cameras })} · {t("coverage.important.short", { rate: share(figure.important_rate) })}
        </span>
      </span>
      <span class="num right">{share(figure.rate)}</span>
    </button>
  );
}

/** Covered share as a bar, that of important ground as a tick on it. */
export function Bar({ rate, important }: { rate: number; important?: number }) {
  return (
    <svg class="rate-bar" width="100%" height="6" aria-hidden="true">
      <rect width="100%" height="6" rx="2" class="rest" />
      <rect width={`${100 * rate}%`} height="6" rx="2" class="part" />
      {important !== undefined && <rect x={`calc(${100 * important}% - 1px)`} width="2" height="6" class="tick" />}
    </svg>
  );
}
