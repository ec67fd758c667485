import { t, word } from "../i18n";
import { count } from "../numbers";
import { teamName } from "../state";
import { Part } from "./ReportsPage";
import { useAnswer, type Assessment, type Figures } from "./requests";
import { countsOf, STATES, type Counts } from "./sums";
import { shareOr } from "./Times";

/** What became of the checkpoints of each team's rounds. */
export function Patrol() {
  const query = { by: "team" };
  const answer = useAnswer<Assessment>("assessment", { ...query, with_coverage: "false" });
  return (
    <Part part="patrol" title={t("reports.patrol")} hint={t("reports.patrol.hint")} path="assessment" query={query} answer={answer}>
      {answer.data && <Teams found={answer.data} />}
    </Part>
  );
}

function Teams({ found }: { found: Assessment }) {
  const walked = found.groups.filter((one) => one.patrol.stops > 0);
  if (walked.length === 0) return <p class="dim">{t("reports.patrol.none")}</p>;
  const rows: [string, Figures][] = [...walked.map((one): [string, Figures] => [teamName(one.name), one]), [t("reports.all"), found.all]];
  return (
    <>
      <table class="table compact patrol-table" data-testid="patrol-table">
        <thead>
          <tr>
            <th scope="col">{t("reports.by.team")}</th>
            <th scope="col" class="right">
              {t("reports.stops")}
            </th>
            {STATES.map((state) => (
              <th key={state} scope="col" class="right">
                {word("reports.stop", state)}
              </th>
            ))}
            <th scope="col" class="right">
              {t("reports.completion")}
            </th>
            <th scope="col" class="bar-column" />
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, figures], index) => (
            <tr key={figures.name || "all"} class={index === rows.length - 1 ? "sum" : ""} data-team={figures.name}>
              <th scope="row">{name}</th>
              <td class="num right">{count(figures.patrol.stops)}</td>
              {STATES.map((state) => (
                <td key={state} class="num right">
                  {count(countsOf(figures)[state])}
                </td>
              ))}
              <td class="num right">{shareOr(figures.patrol.completion)}</td>
              <td class="bar-column">
                <Parts counts={countsOf(figures)} stops={figures.patrol.stops} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul class="parts-key">
        {STATES.map((state) => (
          <li key={state}>
            <svg width="14" height="10" aria-hidden="true">
              <rect width="14" height="10" class={`part-${state}`} />
            </svg>
            {word("reports.stop", state)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** The parts side by side, in the order of the columns; lightness tells them apart on screen and on paper. */
function Parts({ counts, stops }: { counts: Counts; stops: number }) {
  let from = 0;
  return (
    <svg class="parts" width="100%" height="12" aria-hidden="true">
      {STATES.map((state) => {
        const [x, width] = [(100 * from) / stops, (100 * counts[state]) / stops];
        from += counts[state];
        return <rect key={state} x={`${x}%`} width={`${width}%`} height="12" class={`part-${state}`} />;
      })}
    </svg>
  );
}
