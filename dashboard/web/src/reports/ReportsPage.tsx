import "../cameras/cameras.css";
import "../coverage/coverage.css";
import "../registry/registry.css";
import "../teams/teams.css";
import "./reports.css";

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import { t, word } from "../i18n";
import { CATEGORIES } from "../records";
import { inLanguage, placeName, session, site } from "../state";
import { CoverageReport } from "./Coverage";
import { FalseAlarms } from "./FalseAlarms";
import { Heat } from "./Heat";
import { Patrol } from "./Patrol";
import { period, PRESETS, presetPeriod, today, unfit } from "./period";
import { category, file, type Answer, type Query } from "./requests";
import { Times } from "./Times";

const PARTS = ["times", "hours", "false", "patrol", "coverage"] as const;

/** What became of a time: how fast, when and where, how often in vain, how complete, how much was seen. To read and to print. */
export function ReportsPage() {
  useEffect(() => {
    if (!period.peek().from) period.value = presetPeriod("week", today());
  }, []);
  const wrong = unfit(period.value);
  return (
    <main class="page reports" aria-label={t("reports.title")} data-testid="reports">
      <header class="page-head">
        <h1>{t("reports.title")}</h1>
        <PeriodBar />
        <button type="button" class="btn reports-print" onClick={() => print()}>
          {t("report.print")}
        </button>
      </header>
      <nav class="page-tabs" aria-label={t("reports.parts")}>
        {PARTS.map((part) => (
          <button key={part} type="button" onClick={() => goTo(part)}>
            {word("reports.part", part)}
          </button>
        ))}
      </nav>
      <article class="report reports-body" tabIndex={-1}>
        <PrintHead />
        {wrong ? (
          <p class="fault-text" role="alert" data-testid="reports-wrong">
            {t(wrong)}
          </p>
        ) : (
          <>
            <Times />
            <Heat />
            <FalseAlarms />
            <Patrol />
            <CoverageReport />
          </>
        )}
      </article>
    </main>
  );
}

function goTo(part: string): void {
  const section = document.getElementById(`report-${part}`);
  section?.scrollIntoView({ block: "start" });
  section?.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
}

function PeriodBar() {
  const { from, to } = period.value;
  return (
    <div class="period" role="group" aria-label={t("reports.period")}>
      <div class="segments">
        {PRESETS.map((preset) => {
          const meant = presetPeriod(preset, today());
          return (
            <button
              key={preset}
              type="button"
              aria-pressed={meant.from === from && meant.to === to}
              data-testid={`period-${preset}`}
              onClick={() => (period.value = meant)}
            >
              {word("reports.preset", preset)}
            </button>
          );
        })}
      </div>
      <input
        class="input"
        type="date"
        value={from}
        aria-label={t("reports.from")}
        data-testid="period-from"
        onChange={(event) => (period.value = { ...period.peek(), from: event.currentTarget.value })}
      />
      <span aria-hidden="true">–</span>
      <input
        class="input"
        type="date"
        value={to}
        aria-label={t("reports.to")}
        data-testid="period-to"
        onChange={(event) => (period.value = { ...period.peek(), to: event.currentTarget.value })}
      />
      <select
        class="input"
        value={category.value}
        aria-label={t("reports.category")}
        data-testid="report-category"
        onChange={(event) => (category.value = event.currentTarget.value)}
      >
        <option value="">{t("reports.category.all")}</option>
        {[...CATEGORIES, "camera_health"].map((one) => (
          <option key={one} value={one}>
            {word("category", one)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** On paper: whose report, of which time, of which incidents and places. */
function PrintHead() {
  const areas = session.value?.principal.areas ?? [];
  return (
    <div class="print-head">
      <p>
        <strong>
          {t("reports.title")} · {site.value ? inLanguage(site.value.name) : ""}
        </strong>
      </p>
      <p>
        {period.value.from} – {period.value.to} · {category.value ? word("category", category.value) : t("reports.category.all")}
        {areas.length > 0 && ` · ${areas.map(placeName).join(", ")}`}
      </p>
      <p class="dim">{t("reports.counts")}</p>
    </div>
  );
}

interface PartProps {
  part: (typeof PARTS)[number];
  title: string;
  hint: string;
  /** The same as a file. */
  path: string;
  query: Query;
  answer: Answer<unknown>;
  tools?: ComponentChildren;
  children: ComponentChildren;
}

/** One part of the report with its choices, its files, and a sentence if it cannot be had. */
export function Part({ part, title, hint, path, query, answer, tools, children }: PartProps) {
  return (
    <section id={`report-${part}`} class="report-part" aria-labelledby={`report-${part}-title`} data-testid={`report-${part}`} data-busy={answer.busy}>
      <header class="report-head">
        <div>
          <h2 id={`report-${part}-title`} tabIndex={-1}>
            {title}
          </h2>
          <p class="dim">{hint}</p>
        </div>
        <div class="report-tools">
          {tools}
          {(["csv", "xlsx"] as const).map((format) => (
            <a
              key={format}
              class="btn"
              href={file(path, query, format)}
              download
              aria-label={t("reports.file", { part: title, format: format.toUpperCase() })}
              data-testid={`report-${part}-${format}`}
            >
              {format.toUpperCase()}
            </a>
          ))}
        </div>
      </header>
      {answer.failed ? (
        <p class="fault-text" role="alert">
          {answer.failed}
        </p>
      ) : answer.data === null ? (
        <p class="dim" role="status" aria-busy="true">
          {t("reports.busy")}
        </p>
      ) : (
        <div class="report-content" aria-busy={answer.busy}>
          {children}
        </div>
      )}
    </section>
  );
}
