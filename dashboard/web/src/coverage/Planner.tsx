import { useState } from "preact/hooks";

import { t } from "../i18n";
import { area } from "../numbers";
import { camerasMode, editing, mayConfigure } from "../registry/facts";
import { inLanguage, placeName, session, tab } from "../state";
import { showShapes } from "./CoverageMap";
import { coverage, place, plan, planned } from "./facts";
import { outlineOf } from "./Places";
import type { PlannedCamera } from "./records";

const MOST = 50;

/** Where k more cameras would cover most. */
export function Planner() {
  const [number, setNumber] = useState(5);
  const [busy, setBusy] = useState(false);
  const limited = (session.value?.principal.areas.length ?? 0) > 0;
  const places = coverage.value?.places ?? [];
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    await plan(number);
    setBusy(false);
    showShapes([...planned.value.map((one) => one.view), ...(place.value ? outlineOf(place.value) : [])]);
  };
  return (
    <section class="side-part" aria-label={t("coverage.mode.plan")}>
      <h2>{t("coverage.plan.title")}</h2>
      <form class="plan-form" onSubmit={(event) => void ask(event)}>
        <label class="field">
          {t("coverage.plan.count")}
          <input
            class="input"
            type="number"
            min={1}
            max={MOST}
            value={number}
            data-testid="plan-count"
            onInput={(event) => setNumber(Math.max(1, Math.min(MOST, Number(event.currentTarget.value) || 1)))}
          />
        </label>
        <label class="field">
          {t("coverage.plan.place")}
          <select
            class="input"
            value={place.value ?? ""}
            onChange={(event) => {
              place.value = event.currentTarget.value || null;
              if (place.value) showShapes(outlineOf(place.value));
            }}
          >
            {!limited && <option value="">{t("coverage.plan.everywhere")}</option>}
            {places
              .filter((one) => one.kind !== "sub_district")
              .map((one) => (
                <option key={one.place} value={one.place}>
                  {inLanguage(one.name)}
                </option>
              ))}
          </select>
        </label>
        <button class="btn primary" disabled={busy || (limited && !place.value)} data-testid="plan-ask">
          {t(busy ? "coverage.plan.working" : "coverage.plan.ask")}
        </button>
      </form>
      <p class="dim">{t("coverage.plan.hint")}</p>
      <Result />
    </section>
  );
}

/** The planned camera as a draft in the configuration; what it is called and where its streams are is for a person to say. */
function make({ lon, lat, height_m, azimuth_deg, tilt_deg, hfov_deg }: PlannedCamera): void {
  editing.value = { draft: { lon, lat, height_m, azimuth_deg, tilt_deg, hfov_deg } };
  camerasMode.value = "registry";
  tab.value = "cameras";
}

function Result() {
  if (planned.value.length === 0) return null;
  let sum_m2 = 0;
  return (
    <table class="table plan-result" data-testid="plan-result">
      <thead>
        <tr>
          <th>#</th>
          <th>{t("coverage.plan.lens")}</th>
          <th class="right">{t("coverage.plan.look")}</th>
          <th class="right">{t("coverage.plan.gain")}</th>
          <th class="right">{t("coverage.plan.sum")}</th>
          {mayConfigure() && <th />}
        </tr>
      </thead>
      <tbody>
        {planned.value.map((one, index) => {
          sum_m2 += one.gain_m2;
          return (
            <tr key={index}>
              <td>
                <button
                  type="button"
                  class="plan-mark"
                  aria-label={t("coverage.plan.mark", { n: index + 1 })}
                  onClick={() => showShapes([one.view])}
                >
                  {index + 1}
                </button>
              </td>
              <td>
                {one.lens} · {one.height_m} m
              </td>
              <td class="num right">{Math.round(one.azimuth_deg)}°</td>
              <td class="num right">{area(one.gain_m2)}</td>
              <td class="num right">{area(sum_m2)}</td>
              {mayConfigure() && (
                <td>
                  <button type="button" class="btn quiet small" title={t("registry.plan")} aria-label={t("registry.plan")} onClick={() => make(one)}>
                    +
                  </button>
                </td>
              )}
            </tr>
          );
        })}
      </tbody>
      <caption>{t("coverage.plan.of", { place: place.value ? placeName(place.value) : t("coverage.plan.everywhere") })}</caption>
    </table>
  );
}
