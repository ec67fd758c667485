import { useState } from "preact/hooks";

import { heatBounds, heatStep } from "../charts/scale";
import { t, word } from "../i18n";
import { count } from "../numbers";
import { placeName } from "../state";
import { Part } from "./ReportsPage";
import { category, useAnswer, type Hours } from "./requests";

const COUNTED = ["events", "incidents"] as const;
const STEPS = 5;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
/** Rows before the rest is asked for. */
const FIRST = 20;

/** Grid cell by hour of the day. A table of numbers with a shade behind each: the shade only repeats what the number says. */
export function Heat() {
  const [counted, setCounted] = useState<(typeof COUNTED)[number]>("events");
  const query = { of: counted, category: category.value };
  const answer = useAnswer<Hours>("reports/hours", query);
  return (
    <Part
      part="hours"
      title={t("reports.hours")}
      hint={t("reports.hours.hint", { zone: answer.data?.timezone ?? "" })}
      path="reports/hours"
      query={query}
      answer={answer}
      tools={
        <div class="segments" role="group" aria-label={t("reports.counted")}>
          {COUNTED.map((one) => (
            <button key={one} type="button" aria-pressed={counted === one} data-testid={`hours-${one}`} onClick={() => setCounted(one)}>
              {word("reports.counted", one)}
            </button>
          ))}
        </div>
      }
    >
      {answer.data && (answer.data.total > 0 ? <HeatTable found={answer.data} /> : <p class="dim">{t("reports.none")}</p>)}
    </Part>
  );
}

function HeatTable({ found }: { found: Hours }) {
  const [whole, setWhole] = useState(false);
  const most = Math.max(...found.cells.flatMap((cell) => cell.hours));
  const cells = whole ? found.cells : found.cells.slice(0, FIRST);
  return (
    <>
      <div class="wide" tabIndex={0} role="region" aria-label={t("reports.hours")}>
        <table class="heat num" data-testid="heat">
          <caption class="sr-only">{t("reports.hours")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("coverage.cell")}</th>
              {HOURS.map((hour) => (
                <th key={hour} scope="col" title={t("reports.hour", { from: hour, to: hour + 1 })}>
                  {hour}
                </th>
              ))}
              <th scope="col">{t("reports.all")}</th>
            </tr>
          </thead>
          <tbody>
            {cells.map((cell) => (
              <tr key={cell.grid_cell} data-cell={cell.grid_cell}>
                <th scope="row">{cell.grid_cell ? placeName(cell.grid_cell) : t("reports.nocell")}</th>
                {cell.hours.map((number, hour) => (
                  <td key={hour} class={`heat-${heatStep(number, most, STEPS)}`}>
                    {number || <span class="sr-only">0</span>}
                  </td>
                ))}
                <td class="heat-sum">{count(cell.total)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t("reports.all")}</th>
              {found.hours.map((number, hour) => (
                <td key={hour} class="heat-sum">
                  {number}
                </td>
              ))}
              <td class="heat-sum">{count(found.total)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
      <div class="heat-foot">
        <ul class="heat-key num" aria-label={t("reports.shades")}>
          {heatBounds(most, STEPS).map((bound, index, all) => {
            const low = (all[index - 1] ?? 0) + 1;
            return low > bound ? null : (
              <li key={bound} class={`heat-${index + 1}`}>
                {low === bound ? low : `${low}–${bound}`}
              </li>
            );
          })}
        </ul>
        {found.cells.length > FIRST && (
          <button type="button" class="btn small" onClick={() => setWhole(!whole)}>
            {whole ? t("reports.fewer") : t("reports.more", { n: found.cells.length })}
          </button>
        )}
      </div>
    </>
  );
}
