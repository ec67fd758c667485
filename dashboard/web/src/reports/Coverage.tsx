import { useState } from "preact/hooks";

import { LineChart } from "../charts/LineChart";
import { written } from "../clock";
import { Bar } from "../coverage/Places";
import { t } from "../i18n";
import { share } from "../numbers";
import { placeName } from "../state";
import { Part } from "./ReportsPage";
import { useAnswer, type CoverageSeries } from "./requests";
import { shareOr } from "./Times";

const FIRST = 15;

/** Which share of the ground was covered, hour by hour, and where least. */
export function CoverageReport() {
  const answer = useAnswer<CoverageSeries>("reports/coverage", {});
  const found = answer.data;
  return (
    <Part part="coverage" title={t("reports.coverage")} hint={t("reports.coverage.hint")} path="reports/coverage" query={{}} answer={answer}>
      {found && (found.points.length === 0 ? <p class="dim">{t("reports.coverage.none")}</p> : <Found found={found} />)}
    </Part>
  );
}

function Found({ found }: { found: CoverageSeries }) {
  const [whole, setWhole] = useState(false);
  const points = found.points.map(({ at, rate }) => ({ at_ms: Date.parse(at), value: rate }));
  const since = found.known_from ? stamp(found.known_from) : "";
  return (
    <>
      <p class="num">
        {t("reports.coverage.mean", { rate: shareOr(found.mean) })} <span class="dim">{t("reports.coverage.known", { since })}</span>
      </p>
      <LineChart label={t("reports.coverage")} series={[{ name: t("coverage.rate"), points }]} format={share} high={1} />
      <table class="table compact coverage-places" data-testid="coverage-places">
        <thead>
          <tr>
            <th scope="col">{t("report.name")}</th>
            <th scope="col" class="right">
              {t("reports.mean")}
            </th>
            <th scope="col" class="bar-column" />
            <th scope="col" class="right">
              {t("reports.lowest")}
            </th>
            <th scope="col">{t("reports.lowest.at")}</th>
          </tr>
        </thead>
        <tbody>
          {(whole ? found.places : found.places.slice(0, FIRST)).map((one) => (
            <tr key={one.place} data-place={one.place}>
              <th scope="row">{placeName(one.place)}</th>
              <td class="num right">{share(one.mean)}</td>
              <td class="bar-column">
                <Bar rate={one.mean} />
              </td>
              <td class="num right">{share(one.lowest)}</td>
              <td class="num">{stamp(one.lowest_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.places.length > FIRST && (
        <button type="button" class="btn small" onClick={() => setWhole(!whole)}>
          {whole ? t("reports.fewer") : t("reports.more", { n: found.places.length })}
        </button>
      )}
    </>
  );
}

function stamp(iso: string): string {
  const { date, time } = written(Date.parse(iso));
  return `${date} ${time.slice(0, 5)}`;
}
