import "../cameras/cameras.css";
import "../map/map.css";
import "../teams/teams.css";
import "./coverage.css";

import { useEffect } from "preact/hooks";

import { t, word } from "../i18n";
import { share } from "../numbers";
import { timeOf, written } from "../clock";
import { CoverageMap } from "./CoverageMap";
import { coverage, follow, mode, MODES, shownAt } from "./facts";
import { HistorySide, TimeSlider } from "./History";
import { Now } from "./Now";
import { Places } from "./Places";
import { Planner } from "./Planner";
import { Report } from "./Report";

/** What the cameras cover, what they leave unseen and why, how it was, and where another one would help. */
export function CoveragePage() {
  useEffect(follow, []);
  const shown = mode.value;
  return (
    <main class="page coverage" aria-label={t("coverage.title")} data-testid="coverage">
      <header class="page-head">
        <h1>{t("coverage.title")}</h1>
        <div class="segments" role="group" aria-label={t("coverage.title")}>
          {MODES.map((one) => (
            <button key={one} type="button" aria-pressed={shown === one} data-testid={`coverage-${one}`} onClick={() => (mode.value = one)}>
              {word("coverage.mode", one)}
            </button>
          ))}
        </div>
        <Headline />
      </header>
      {shown === "report" ? (
        <Report />
      ) : (
        <>
          <div class="coverage-centre">
            <CoverageMap />
            {shown === "history" && <TimeSlider />}
          </div>
          <aside class="page-side coverage-side">
            {shown === "now" && <Now />}
            {shown === "places" && <Places />}
            {shown === "history" && <HistorySide />}
            {shown === "plan" && <Planner />}
          </aside>
        </>
      )}
    </main>
  );
}

/** The figures of everything that is shown, and of which moment they are. */
function Headline() {
  const now = coverage.value;
  const top = now?.places[0];
  if (!now || !top) return <span class="page-count" aria-busy="true" />;
  const at = shownAt.value;
  return (
    <dl class="headline" data-testid="coverage-headline" data-version={now.version}>
      <div>
        <dt>{t("coverage.rate")}</dt>
        <dd class="num">{share(top.figure.rate)}</dd>
      </div>
      <div>
        <dt>{t("coverage.rate.important")}</dt>
        <dd class="num">{share(top.figure.important_rate)}</dd>
      </div>
      {now.statistics && (
        <div>
          <dt>{t("coverage.working")}</dt>
          <dd class="num" data-testid="coverage-working">
            {now.statistics.working} / {now.statistics.cameras}
          </dd>
        </div>
      )}
      <div>
        <dt>{t(at ? "coverage.at" : "coverage.since")}</dt>
        <dd class="num">{at ? `${written(Date.parse(at)).date.slice(5)} ${timeOf(at).slice(0, 5)}` : timeOf(now.at)}</dd>
      </div>
    </dl>
  );
}
