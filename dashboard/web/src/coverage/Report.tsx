import { t, word } from "../i18n";
import { written } from "../clock";
import { count, share } from "../numbers";
import { lang } from "../prefs";
import { inLanguage, site } from "../state";
import { coverage } from "./facts";
import type { Coverage, Definition, Figure, Statistics } from "./records";
import { reportFile } from "./requests";

const LEVELS = ["community", "compound", "grid_cell"] as const;

/** The sub-district's statistics with what "covered" means; to read, to print, to load as a table. */
export function Report() {
  const now = coverage.value;
  if (!now) return <div class="empty" aria-busy="true" />;
  return (
    <article class="report" data-testid="coverage-report">
      <header class="report-head">
        <div>
          <h2>{t("report.title", { place: site.value ? inLanguage(site.value.name) : "" })}</h2>
          <p class="dim num">{t("report.at", { time: `${written(Date.parse(now.at)).date} ${written(Date.parse(now.at)).time}` })}</p>
        </div>
        <div class="report-tools">
          <a class="btn" href={reportFile("xlsx", lang.value)} download data-testid="report-xlsx">
            XLSX
          </a>
          <a class="btn" href={reportFile("csv", lang.value)} download data-testid="report-csv">
            CSV
          </a>
          <button type="button" class="btn" onClick={() => print()}>
            {t("report.print")}
          </button>
        </div>
      </header>
      {now.statistics && <Tiles statistics={now.statistics} />}
      <Meaning definition={now.definition} />
      {Object.keys(now.kinds).length > 0 && (
        <Figures
          title={t("report.kinds")}
          rows={Object.entries(now.kinds).map(([kind, figure]) => ["", word("coverage.compound", kind), figure])}
        />
      )}
      {LEVELS.map((level) => (
        <Figures key={level} title={t(`report.${level}`)} rows={rowsOf(now, level)} />
      ))}
    </article>
  );
}

function rowsOf(now: Coverage, level: (typeof LEVELS)[number]): [string, string, Figure][] {
  return now.places.filter((one) => one.kind === level).map((one) => [one.place, inLanguage(one.name), one.figure]);
}

function Tiles({ statistics: s }: { statistics: Statistics }) {
  const tiles: [string, string, string][] = [
    [t("report.cameras"), count(s.cameras), t("report.cameras.working", { n: s.working })],
    [t("report.institutions"), share(s.institutions_rate), t("report.institutions.of", { n: s.institutions })],
    [t("report.some"), count(s.compounds_some), t("report.some.rate", { n: s.compounds, rate: share(s.compounds_rate) })],
    [t("report.full"), count(s.compounds_full), t("report.full.of", { n: s.compounds })],
  ];
  return (
    <dl class="tiles" data-testid="report-tiles">
      {tiles.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{value}</dd>
          <dd class="dim">{more}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What counts as covered, in a sentence with the site's own numbers. */
function Meaning({ definition: d }: { definition: Definition }) {
  return (
    <section class="meaning" aria-label={t("report.meaning")} data-testid="report-meaning">
      <h3>{t("report.meaning")}</h3>
      <p>
        {t("report.meaning.covered", {
          stream: word("coverage.stream", d.stream),
          band: word("coverage.band", d.band),
          ppm: d.pixels_per_metre,
        })}{" "}
        {t("report.meaning.some", { some: share(d.some_share), full: share(d.complete_share) })}{" "}
        {t("report.meaning.not", { m2: d.blind_min_m2 })}
      </p>
      <p class="dim">{t("report.meaning.where")}</p>
    </section>
  );
}

function Figures({ title, rows }: { title: string; rows: [string, string, Figure][] }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <table class="table">
        <thead>
          <tr>
            <th>{t("report.name")}</th>
            <th class="right">{t("coverage.working")}</th>
            <th class="right">{t("report.ground")}</th>
            <th class="right">{t("report.covered")}</th>
            <th class="right">{t("coverage.rate")}</th>
            <th class="right">{t("report.important")}</th>
            <th class="right">{t("coverage.rate.important")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([id, name, figure]) => (
            <tr key={id || name}>
              <td>
                {name} <span class="dim num">{id}</span>
              </td>
              <td class="num right">{figure.cameras}</td>
              <td class="num right">{count(figure.ground_m2)}</td>
              <td class="num right">{count(figure.covered_m2)}</td>
              <td class="num right">{share(figure.rate)}</td>
              <td class="num right">{count(figure.important_m2)}</td>
              <td class="num right">{share(figure.important_rate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
