import { t, word } from "../i18n";
import { count, share } from "../numbers";
import { written } from "../clock";
import { placeName } from "../state";
import { showShapes } from "./CoverageMap";
import { history, moment, place, span_h, SPANS_H } from "./facts";
import { outlineOf, Bar } from "./Places";
import type { CoverageHistory, CoverageMoment } from "./records";
import { byCause, heaviest } from "./losses";

const CHART_PX = 72;

/** `03-01 08:15` in the time of the site. */
function dayTime(iso: string): string {
  const { date, time } = written(Date.parse(iso));
  return `${date.slice(5)} ${time.slice(0, 5)}`;
}

/** The covered share over the time, and a slider that takes the map to any moment of it. */
export function TimeSlider() {
  const known = history.value;
  const points = known?.points ?? [];
  const last = Math.max(0, points.length - 1);
  const at = moment.value ?? last;
  const shown = points[at];
  return (
    <section class="time-slider" aria-label={t("coverage.slider")} data-testid="time-slider">
      <div class="time-slider-head">
        <div class="segments" role="group" aria-label={t("coverage.span")}>
          {SPANS_H.map((hours) => (
            <button
              key={hours}
              type="button"
              aria-pressed={span_h.value === hours}
              onClick={() => {
                moment.value = null;
                span_h.value = hours;
              }}
            >
              {t(hours === 24 ? "coverage.span.day" : "coverage.span.week")}
            </button>
          ))}
        </div>
        {shown && (
          <output class="num" data-testid="slider-time">
            {moment.value === null ? t("coverage.slider.now") : dayTime(shown.at)} · {share(shown.rate)} ·{" "}
            {t("coverage.slider.important", { rate: share(shown.important_rate) })} · {t("coverage.slider.working", { n: shown.working })}
          </output>
        )}
        {moment.value !== null && (
          <button type="button" class="btn small" onClick={() => (moment.value = null)}>
            {t("coverage.slider.back")}
          </button>
        )}
      </div>
      <Chart points={points} at={at} />
      <input
        type="range"
        min={0}
        max={last}
        value={at}
        disabled={points.length === 0}
        aria-label={t("coverage.slider")}
        aria-valuetext={shown ? dayTime(shown.at) : ""}
        data-testid="slider"
        onInput={(event) => {
          const chosen = Number(event.currentTarget.value);
          moment.value = chosen === last ? null : chosen;
        }}
      />
      <div class="time-slider-ends num dim">
        <span>{known ? dayTime(known.from) : ""}</span>
        {known?.known_from && known.known_from > known.from && <span>{t("coverage.known", { time: dayTime(known.known_from) })}</span>}
        <span>{known ? dayTime(known.to) : ""}</span>
      </div>
    </section>
  );
}

/** Two lines between their own lowest and highest: all ground, and important ground dashed. */
function Chart({ points, at }: { points: readonly CoverageMoment[]; at: number }) {
  const values = points.flatMap((one) => [one.rate, one.important_rate]);
  const low = Math.min(...values, 1);
  const high = Math.max(...values, low + 0.01);
  const x = (index: number): number => (100 * index) / Math.max(1, points.length - 1);
  const y = (rate: number): number => 6 + (1 - (rate - low) / (high - low)) * (CHART_PX - 12);
  const line = (of: (one: CoverageMoment) => number): string => points.map((one, index) => `${x(index)},${y(of(one))}`).join(" ");
  if (points.length === 0) return <div class="chart" style={{ height: CHART_PX }} aria-busy="true" />;
  return (
    <div class="chart" style={{ height: CHART_PX }} aria-hidden="true">
      <svg viewBox={`0 0 100 ${CHART_PX}`} preserveAspectRatio="none" width="100%" height={CHART_PX}>
        <polyline points={line((one) => one.important_rate)} class="line important" vector-effect="non-scaling-stroke" />
        <polyline points={line((one) => one.rate)} class="line" vector-effect="non-scaling-stroke" />
        <line x1={x(at)} x2={x(at)} y1="0" y2={CHART_PX} class="at" vector-effect="non-scaling-stroke" />
      </svg>
      <span class="chart-high num">{share(high)}</span>
      <span class="chart-low num">{share(low)}</span>
    </div>
  );
}

/** Camera-minutes lost, by cause and by cell. */
export function HistorySide() {
  const known = history.value;
  if (!known) return <div class="empty" aria-busy="true" />;
  return (
    <>
      <section class="side-part" aria-label={t("coverage.minutes")}>
        <h2>{t("coverage.minutes")}</h2>
        <p class="dim">{t("coverage.minutes.hint")}</p>
        <Causes known={known} />
      </section>
      <section class="side-part" aria-label={t("coverage.cells")}>
        <h2>{t("coverage.cells")}</h2>
        <Cells known={known} />
      </section>
    </>
  );
}

function causeWord(cause: string): string {
  const [kind = "", uplink = ""] = cause.split(":");
  return `${word("coverage.state", kind)}${uplink ? ` ${uplink}` : ""}`;
}

function Causes({ known }: { known: CoverageHistory }) {
  const found = byCause(known.cells);
  const most = found[0]?.minutes ?? 1;
  if (found.length === 0) return <p>{t("coverage.minutes.none")}</p>;
  return (
    <ul class="loss-causes" data-testid="loss-causes">
      {found.map((one) => (
        <li key={one.cause}>
          <span class="clip">{causeWord(one.cause)}</span>
          <Bar rate={one.minutes / most} />
          <span class="num right">{t("coverage.min", { n: count(one.minutes) })}</span>
        </li>
      ))}
    </ul>
  );
}

function Cells({ known }: { known: CoverageHistory }) {
  return (
    <table class="table loss-cells" data-testid="loss-cells">
      <thead>
        <tr>
          <th>{t("coverage.cell")}</th>
          <th class="right">{t("coverage.lost.min")}</th>
          <th class="right">{t("coverage.lost.share")}</th>
          <th>{t("coverage.lost.by")}</th>
        </tr>
      </thead>
      <tbody>
        {heaviest(known.cells).map((one) => (
          <tr key={one.grid_cell} class={place.value === one.grid_cell ? "selected" : ""}>
            <td>
              <button
                type="button"
                class="btn quiet small"
                onClick={() => {
                  place.value = place.value === one.grid_cell ? null : one.grid_cell;
                  showShapes(outlineOf(one.grid_cell));
                }}
              >
                {placeName(one.grid_cell)}
              </button>
            </td>
            <td class="num right">{count(one.minutes)}</td>
            <td class="num right">{share(one.share)}</td>
            <td class="clip">{causeWord(one.cause)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
