import "./charts.css";

import { useEffect, useRef, useState } from "preact/hooks";

import { written } from "../clock";
import { t } from "../i18n";
import { ticks } from "./scale";

export interface Point {
  at_ms: number;
  /** Null where nothing is known: the line is broken there. */
  value: number | null;
}

export interface Series {
  name: string;
  points: readonly Point[];
  dashed?: boolean;
}

interface LineChartProps {
  /** What is drawn; also what a screen reader says, with the newest, lowest and highest value. */
  label: string;
  series: readonly Series[];
  format: (value: number) => string;
  /** The axis ends at these at least. */
  low?: number;
  high?: number;
}

const HEIGHT = 190;
const EDGE = { top: 10, right: 14, bottom: 24, left: 64 };
const DAY_MS = 86_400_000;

/** Lines over time with their numbers beside them: a table of the same values opens below. Prints black on white. */
export function LineChart({ label, series, format, low = 0, high = low }: LineChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<number | null>(null);
  const times = series[0]?.points.map((one) => one.at_ms) ?? [];
  const [begin, end] = [times[0] ?? 0, times[times.length - 1] ?? 1];
  const values = series.flatMap((one) => one.points.flatMap(({ value }) => (value === null ? [] : [value])));
  if (values.length === 0) return <p class="dim chart-none">{t("chart.none")}</p>;
  const marks = ticks(low, Math.max(high, ...values));
  const [bottom, top] = [marks[0] ?? 0, marks[marks.length - 1] ?? 1];
  const x = (at_ms: number): number => EDGE.left + ((at_ms - begin) / Math.max(1, end - begin)) * (width - EDGE.left - EDGE.right);
  const y = (value: number): number => EDGE.top + (1 - (value - bottom) / (top - bottom)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const point = (event: PointerEvent): void => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    const at_ms = begin + ((event.clientX - left - EDGE.left) / (width - EDGE.left - EDGE.right)) * (end - begin);
    setPointed(nearest(times, at_ms));
  };
  const shown = pointed ?? times.length - 1;
  return (
    <figure class="line-chart">
      <div ref={box} onPointerMove={point} onPointerLeave={() => setPointed(null)}>
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} width="100%" role="img" aria-label={`${label}: ${spoken(values, series, format)}`}>
          {marks.map((mark) => (
            <g key={mark}>
              <line x1={EDGE.left} x2={width - EDGE.right} y1={y(mark)} y2={y(mark)} class="grid-line" />
              <text x={EDGE.left - 8} y={y(mark)} class="axis end">
                {format(mark)}
              </text>
            </g>
          ))}
          {timeMarks(begin, end, width).map((at_ms, index, all) => (
            <text key={at_ms} x={x(at_ms)} y={HEIGHT - 6} class={`axis ${index === 0 ? "begin" : index === all.length - 1 ? "end" : "middle"}`}>
              {axisTime(at_ms, end - begin)}
            </text>
          ))}
          {series.map((one) => (
            <path key={one.name} d={line(one.points, x, y)} class={`chart-line${one.dashed ? " dashed" : ""}`} />
          ))}
          {pointed !== null && <line x1={x(times[pointed] ?? 0)} x2={x(times[pointed] ?? 0)} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} class="cursor" />}
        </svg>
      </div>
      <figcaption class="num">
        <span>{moment(times[shown] ?? 0)}</span>
        {series.map((one) => (
          <span key={one.name} class={`chart-key${one.dashed ? " dashed" : ""}`}>
            {one.name} <strong>{valueText(one.points[shown]?.value ?? null, format)}</strong>
          </span>
        ))}
      </figcaption>
      <Numbers series={series} format={format} />
    </figure>
  );
}

function Numbers({ series, format }: { series: readonly Series[]; format: (value: number) => string }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="chart-numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("chart.numbers")}</summary>
      {open && (
        <div class="chart-scroll" tabIndex={0} role="region" aria-label={t("chart.numbers")}>
          <table class="table compact">
            <thead>
              <tr>
                <th>{t("chart.time")}</th>
                {series.map((one) => (
                  <th key={one.name} class="right">
                    {one.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {series[0]?.points.map(({ at_ms }, index) => (
                <tr key={at_ms}>
                  <td class="num">{moment(at_ms)}</td>
                  {series.map((one) => (
                    <td key={one.name} class="num right">
                      {valueText(one.points[index]?.value ?? null, format)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function useWidth(box: { current: HTMLDivElement | null }): number {
  const [width, setWidth] = useState(720);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(320, Math.round(entry.contentRect.width))));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

function line(points: readonly Point[], x: (at_ms: number) => number, y: (value: number) => number): string {
  let isDrawn = false;
  const parts: string[] = [];
  for (const { at_ms, value } of points) {
    // "h0" makes a dot of a point that stands alone.
    if (value !== null) parts.push(`${isDrawn ? "L" : "M"}${x(at_ms).toFixed(1)} ${y(value).toFixed(1)}${isDrawn ? "" : "h0"}`);
    isDrawn = value !== null;
  }
  return parts.join("");
}

function nearest(times: readonly number[], at_ms: number): number {
  let best = 0;
  times.forEach((time, index) => {
    if (Math.abs(time - at_ms) < Math.abs((times[best] ?? 0) - at_ms)) best = index;
  });
  return best;
}

function timeMarks(begin: number, end: number, width: number): number[] {
  const count = Math.max(2, Math.min(7, Math.floor(width / 150)));
  return end > begin ? Array.from({ length: count }, (_, index) => begin + ((end - begin) * index) / (count - 1)) : [begin];
}

function axisTime(at_ms: number, span_ms: number): string {
  const { date, time } = written(at_ms);
  if (span_ms <= 1.5 * DAY_MS) return time.slice(0, 5);
  return span_ms <= 4 * DAY_MS ? `${date.slice(5)} ${time.slice(0, 5)}` : date.slice(5);
}

function moment(at_ms: number): string {
  const { date, time } = written(at_ms);
  return `${date} ${time.slice(0, 5)}`;
}

function valueText(value: number | null, format: (value: number) => string): string {
  return value === null ? "–" : format(value);
}

function spoken(values: readonly number[], series: readonly Series[], format: (value: number) => string): string {
  const newest = series.map((one) => `${one.name} ${valueText(one.points[one.points.length - 1]?.value ?? null, format)}`).join(", ");
  return t("chart.spoken", { newest, low: format(Math.min(...values)), high: format(Math.max(...values)) });
}
