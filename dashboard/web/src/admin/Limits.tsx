import { lapse } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, word } from "../i18n";
import { Sheet, useLoaded } from "./loading";
import { admin, type LimitRecord } from "./requests";
import { EntryList, TopValues, useSettings } from "./settings";

const LEVELS = [1, 2, 3, 4] as const;

/** How long each step may take by severity, as it is in force; below, what of it this site has set in `limits.toml`. */
export function Limits() {
  const loaded = useLoaded(admin.limits);
  const work = useSettings("limits", loaded.reload);
  const found = loaded.data;
  const steps = [...new Set(found?.limits.map((one) => one.step))];
  return (
    <Sheet title={t("limits.title")} hint={t("limits.hint")} loaded={loaded} testid="limits">
      {found && (
        <>
          {work.shown}
          <table class="table compact limits-table">
            <caption class="sr-only">{t("limits.title")}</caption>
            <thead>
              <tr>
                <th scope="col">{t("limits.step")}</th>
                {LEVELS.map((level) => (
                  <th key={level} scope="col" aria-label={t("limits.level", { n: level })}>
                    <LevelShape level={level} hollow />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {steps.map((step) => (
                <tr key={step}>
                  <th scope="row">{word("reports.step", step)}</th>
                  {LEVELS.map((level) => (
                    <Cell key={level} limit={found.limits.find((one) => one.step === step && one.severity === level)} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <ul class="admin-notes">
            <li>{t("limits.warn", { share: Math.round(100 * found.warn_at) })}</li>
            <li>{t("limits.escalate", { shares: found.escalate_after.map((one) => `${Math.round(100 * one)} %`).join(", ") })}</li>
            <li>{t("limits.hours", { hours: found.working_hours })}</li>
            <li>{found.handover_alarm_min === null ? t("limits.handover.none") : t("limits.handover", { n: found.handover_alarm_min })}</li>
          </ul>
          <EntryList work={work} table="limit" title={t("limits.own")} none={t("limits.own.none")} />
          <TopValues work={work} form="limits" title={t("limits.general")} />
          <EntryList work={work} table="hours" title={t("limits.places")} none={t("limits.places.none")} />
          <EntryList work={work} table="section" title={t("limits.sections")} none={t("limits.sections.none")} />
        </>
      )}
    </Sheet>
  );
}

function Cell({ limit }: { limit: LimitRecord | undefined }) {
  if (!limit) return <td>–</td>;
  return (
    <td class="num wrap">
      <strong>{lapse(1000 * limit.limit_s)}</strong>
      {limit.limit_s !== limit.default_s && <span class="dim">{t("limits.default", { time: lapse(1000 * limit.default_s) })}</span>}
      {limit.working_time && <span class="dim"> {t("limits.working")}</span>}
      {Object.entries(limit.categories).map(([category, seconds]) => (
        <span key={category} class="dim under">
          {word("category", category)} {lapse(1000 * seconds)}
        </span>
      ))}
    </td>
  );
}
