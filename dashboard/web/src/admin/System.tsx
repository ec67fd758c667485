import { signal } from "@preact/signals";

import { LineChart, type Series } from "../charts/LineChart";
import { lapse, now, serverNow } from "../clock";
import { Icon } from "../controls/shapes";
import { t, word } from "../i18n";
import { count } from "../numbers";
import { few, size } from "./amounts";
import { Sheet, useLoaded } from "./loading";
import { admin, type Figures, type SystemHistory, type SystemNow } from "./requests";

const SPANS_H = [24, 168, 744] as const;
const span_h = signal<(typeof SPANS_H)[number]>(24);
const NOW_MS = 10_000;
const HISTORY_MS = 120_000;
/** A worker that was heard later than this before now is lost. */
const SILENT_MS = 15_000;

/** How the system does: what to do first, then what it is now, the workers, and the same over time. */
export function System() {
  const loaded = useLoaded(admin.system, [], NOW_MS);
  const hours = span_h.value;
  const history = useLoaded(() => admin.systemHistory(new Date(serverNow() - hours * 3_600_000).toISOString()), [hours], HISTORY_MS);
  return (
    <Sheet
      title={t("system.title")}
      loaded={loaded}
      testid="system"
      tools={
        <div class="segments" role="group" aria-label={t("system.span")}>
          {SPANS_H.map((one) => (
            <button key={one} type="button" aria-pressed={hours === one} data-testid={`system-${one}`} onClick={() => (span_h.value = one)}>
              {word("system.span", String(one))}
            </button>
          ))}
        </div>
      }
    >
      {loaded.data && (
        <>
          <Advice found={loaded.data} />
          <Tiles found={loaded.data} />
          <Workers found={loaded.data} />
          {history.failed && (
            <p class="fault-text" role="alert">
              {history.failed}
            </p>
          )}
          {history.data && <Pictures history={history.data} machine={loaded.data.machine} />}
        </>
      )}
    </Sheet>
  );
}

function Advice({ found }: { found: SystemNow }) {
  return (
    <section aria-label={t("system.advice")} data-testid="system-advice" data-count={found.advice.length}>
      {found.advice.length === 0 && <p class="advice-none">{t("system.advice.none")}</p>}
      <ul class="advice">
        {found.advice.map((one) => (
          <li key={one.code + String(one.values.worker ?? "")} class={one.urgent ? "urgent" : ""} data-code={one.code}>
            <Icon name={one.urgent ? "bell" : "help"} size={18} />
            <span>
              {one.urgent && <strong>{t("system.urgent")} </strong>}
              {word("system.advice", one.code).replace(/\{(\w+)\}/g, (place, name: string) => String(one.values[name] ?? place))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Tiles({ found }: { found: SystemNow }) {
  const { figures: f, machine: m } = found;
  const tiles: [string, string, string][] = [
    [t("system.cores"), f.cores === null ? "–" : few(f.cores), t("system.of", { n: m.cores })],
    [t("system.memory"), size(f.rss_bytes), f.memory_free_bytes === null ? "" : t("system.free", { size: size(f.memory_free_bytes) })],
    [t("system.disk"), f.disk_free_bytes === null ? "–" : size(f.disk_free_bytes), m.disk_bytes === null ? "" : t("system.of", { n: size(m.disk_bytes) })],
    [t("system.database"), size(f.database_bytes), ""],
    [t("system.unwatched"), f.not_watched === null ? "–" : few(f.not_watched), t("system.of", { n: count(f.cameras) })],
    [t("system.outbox"), count(f.outbox), t("system.clips", { n: count(f.clips_waiting) })],
    [t("system.notices"), count(f.notices_waiting), t("system.dead", { n: count(f.notices_dead) })],
  ];
  return (
    <dl class="tiles" data-testid="system-tiles">
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

function Workers({ found }: { found: SystemNow }) {
  return (
    <section class="admin-part">
      <h2>{t("system.workers")}</h2>
      <table class="table compact">
        <thead>
          <tr>
            <th scope="col">{t("system.worker")}</th>
            <th scope="col">{t("system.state")}</th>
            {(["cameras", "load", "wanting", "memory", "outbox", "events", "restarts"] as const).map((one) => (
              <th key={one} scope="col" class="right">
                {word("system.worker", one)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.workers.map((one) => {
            const silent_ms = now.value - Date.parse(one.heard_at);
            const isLost = silent_ms > SILENT_MS;
            return (
              <tr key={one.name} data-testid="worker-row">
                <th scope="row">{one.name}</th>
                <td class={isLost ? "lost-text" : ""}>{isLost ? t("system.silent", { time: lapse(silent_ms) }) : t("system.alive")}</td>
                <td class="num right">{count(one.cameras)}</td>
                <td class="num right">
                  {few(one.awake_cores)} / {few(one.budget_cores)}
                </td>
                <td class="num right">{count(one.cameras_wanting)}</td>
                <td class="num right">{size(one.rss_bytes)}</td>
                <td class="num right">{count(one.outbox)}</td>
                <td class="num right">{count(one.events)}</td>
                <td class="num right">{count(one.restarts)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Pictures({ history, machine }: { history: SystemHistory; machine: SystemNow["machine"] }) {
  const series = (name: string, of: (figures: Figures) => number | null, dashed = false): Series => ({
    name,
    dashed,
    points: history.points.map(({ at, figures }) => ({ at_ms: Date.parse(at), value: figures ? of(figures) : null })),
  });
  return (
    <section class="admin-part" data-testid="system-pictures">
      <h2>{t("system.pictures")}</h2>
      <p class="dim">{t("system.pictures.hint")}</p>
      <div class="pictures">
        <Picture title={t("system.cores")} series={[series(t("system.inuse"), (f) => f.cores)]} format={few} high={machine.cores} />
        <Picture
          title={t("system.memory")}
          series={[series("Gridpatrol", (f) => f.rss_bytes), series(t("system.memory.free"), (f) => f.memory_free_bytes, true)]}
          format={size}
          high={machine.memory_bytes}
        />
        <Picture
          title={t("system.unwatched")}
          series={[series(t("system.unwatched.cameras"), (f) => f.not_watched), series(t("system.overbudget"), (f) => f.over_budget, true)]}
          format={few}
        />
        <Picture
          title={t("system.waiting")}
          series={[series(t("system.outbox"), (f) => f.outbox), series(t("system.notices"), (f) => f.notices_waiting, true)]}
          format={few}
        />
        {machine.disk_bytes !== null && (
          <Picture title={t("system.disk")} series={[series(t("system.disk.free"), (f) => f.disk_free_bytes)]} format={size} high={machine.disk_bytes} />
        )}
        <Picture title={t("system.database")} series={[series(t("system.size"), (f) => f.database_bytes)]} format={size} />
      </div>
    </section>
  );
}

interface PictureProps {
  title: string;
  series: readonly Series[];
  format: (value: number) => string;
  high?: number;
}

function Picture({ title, series, format, high = 0 }: PictureProps) {
  return (
    <div class="picture">
      <h3>{title}</h3>
      <LineChart label={title} series={series} format={format} high={high} />
    </div>
  );
}
