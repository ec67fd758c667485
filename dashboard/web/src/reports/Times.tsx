import { useState } from "preact/hooks";

import { lapse } from "../clock";
import { lengthRange, LENGTHS_S, place } from "../charts/scale";
import { t, word } from "../i18n";
import { count, share } from "../numbers";
import { placeName, teamName } from "../state";
import { Part } from "./ReportsPage";
import { category, STEPS, useAnswer, type Assessment, type Figures, type Timing } from "./requests";

const GROUPS = ["grid_cell", "team", "category", "community"] as const;
type Group = (typeof GROUPS)[number];

const nameOf: Record<Group, (name: string) => string> = {
  grid_cell: placeName,
  community: placeName,
  team: teamName,
  category: (name) => word("category", name),
};

/** How long each stage took: the middle one, and what nine of ten did not exceed. */
export function Times() {
  const [by, setBy] = useState<Group>("grid_cell");
  const query = { by, category: category.value };
  const answer = useAnswer<Assessment>("assessment", { ...query, with_coverage: "false" });
  return (
    <Part
      part="times"
      title={t("reports.times")}
      hint={t("reports.times.hint")}
      path="assessment"
      query={query}
      answer={answer}
      tools={
        <select class="input" value={by} aria-label={t("reports.by")} data-testid="times-by" onChange={(event) => setBy(event.currentTarget.value as Group)}>
          {GROUPS.map((one) => (
            <option key={one} value={one}>
              {word("reports.by", one)}
            </option>
          ))}
        </select>
      }
    >
      {answer.data && (
        <>
          <Tiles all={answer.data.all} />
          <Spread all={answer.data.all} />
          <Groups found={answer.data} by={by} />
        </>
      )}
    </Part>
  );
}

function Tiles({ all }: { all: Figures }) {
  const tiles: [string, string][] = [
    [t("reports.opened"), count(all.opened)],
    [t("reports.closed"), count(all.closed)],
    [t("reports.closing"), shareOr(all.closing_rate)],
    [t("reports.false.rate"), shareOr(all.false_alarm_rate)],
    [t("reports.total.median"), length(all.total.median_s)],
  ];
  return (
    <dl class="tiles" data-testid="times-tiles">
      {tiles.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const ROW = 28;
const NAME = 150;
const NUMBERS = 190;
const WIDTH = 1000;

/** Each stage as a line from its median to its 90th percentile; the axis is logarithmic, for stages last from seconds to days. */
function Spread({ all }: { all: Figures }) {
  const rows: [string, Timing][] = [...STEPS.map((step): [string, Timing] => [word("reports.step", step), all.timings[step]]), [t("reports.total"), all.total]];
  const known = rows.flatMap(([, { median_s, p90_s }]) => (median_s === null || p90_s === null ? [] : [median_s, p90_s]));
  if (known.length === 0) return <p class="dim">{t("reports.none")}</p>;
  const [low, high] = lengthRange(known);
  const x = (seconds: number): number => NAME + place(seconds, low, high) * (WIDTH - NAME - NUMBERS - 20);
  const height = ROW * rows.length + 26;
  return (
    <figure>
      <svg class="spread" viewBox={`0 0 ${WIDTH} ${height}`} width="100%" role="img" aria-label={t("reports.times")}>
        {LENGTHS_S.filter((one) => one >= low && one <= high).map((one) => (
          <g key={one}>
            <line x1={x(one)} x2={x(one)} y1={0} y2={height - 24} class="grid-line" />
            <text x={x(one)} y={height - 10} class="axis middle">
              {word("reports.length", String(one))}
            </text>
          </g>
        ))}
        {rows.map(([name, timing], index) => (
          <g key={name} transform={`translate(0 ${ROW * index + ROW / 2})`}>
            <text x={0} y={0} class="name">
              {name}
            </text>
            {timing.median_s !== null && timing.p90_s !== null && (
              <>
                <line x1={x(timing.median_s)} x2={x(timing.p90_s)} y1={0} y2={0} class="reach" />
                <circle cx={x(timing.p90_s)} cy={0} r={5} class="p90" />
                <circle cx={x(timing.median_s)} cy={0} r={5} class="median" />
              </>
            )}
            <text x={WIDTH} y={0} text-anchor="end" class="numbers">
              {length(timing.median_s)} / {length(timing.p90_s)} · {count(timing.count)}×
            </text>
          </g>
        ))}
      </svg>
      <figcaption class="dim spread-key">{t("reports.times.key")}</figcaption>
    </figure>
  );
}

function Groups({ found, by }: { found: Assessment; by: Group }) {
  const met = found.groups.filter((one) => one.opened > 0); // the others only had rounds
  const rows: [string, Figures][] = [...met.map((one): [string, Figures] => [nameOf[by](one.name), one]), [t("reports.all"), found.all]];
  return (
    <div class="wide" tabIndex={0} role="region" aria-label={t("reports.times.table")}>
      <table class="table compact times" data-testid="times-table">
        <caption class="sr-only">{t("reports.times.table")}</caption>
        <thead>
          <tr>
            <th scope="col">{word("reports.by", by)}</th>
            <th scope="col" class="right">
              {t("reports.opened")}
            </th>
            <th scope="col" class="right">
              {t("reports.closed")}
            </th>
            {STEPS.map((step) => (
              <th key={step} scope="col" class="right">
                {word("reports.step", step)}
              </th>
            ))}
            <th scope="col" class="right">
              {t("reports.total")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, figures], index) => (
            <tr key={figures.name || "all"} class={index === rows.length - 1 ? "sum" : ""} data-group={figures.name}>
              <th scope="row">{name}</th>
              <td class="num right">{count(figures.opened)}</td>
              <td class="num right">{count(figures.closed)}</td>
              {STEPS.map((step) => (
                <TimingCell key={step} timing={figures.timings[step]} />
              ))}
              <TimingCell timing={figures.total} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Median over p90, and which share of those with a limit kept it. */
function TimingCell({ timing }: { timing: Timing }) {
  if (timing.median_s === null) return <td class="num right dim">–</td>;
  return (
    <td class="num right">
      {length(timing.median_s)} / {length(timing.p90_s)}
      {timing.share !== null && <span class="dim under">{share(timing.share)}</span>}
    </td>
  );
}

function length(seconds: number | null): string {
  return seconds === null ? "–" : lapse(1000 * seconds);
}

export function shareOr(part: number | null): string {
  return part === null ? "–" : share(part);
}
