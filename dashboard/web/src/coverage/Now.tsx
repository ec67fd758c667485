import { Virtual } from "../controls/Virtual";
import { t, word, type Key } from "../i18n";
import { area, count } from "../numbers";
import { lang } from "../prefs";
import { show as showIncident } from "../shell/desk";
import { cameraName, inLanguage, mayDispatch, placeName, session } from "../state";
import { lapse, now as clockNow } from "../clock";
import { accept, causeId, chosenCause, chosenSpot, coverage, missingOf, mode, place, views } from "./facts";
import { showShapes } from "./CoverageMap";
import type { BlindSpot, LossCause, StopProposal } from "./records";
import { reasonIn, touched } from "./why";

const SPOT_PX = 76;

/** What is lost and why, what is proposed for it, and the blind spots. */
export function Now() {
  const now = coverage.value;
  if (!now) return <div class="empty" aria-busy="true" />;
  const causes = now.causes.filter((one) => one.cause !== "disabled");
  const idle = now.causes.find((one) => one.cause === "disabled");
  return (
    <>
      <section class="side-part" aria-label={t("coverage.causes")}>
        <h2>
          {t("coverage.causes")} <span class="num dim">{causes.length}</span>
        </h2>
        {causes.length === 0 && <p class="dim">{t("coverage.causes.none")}</p>}
        <ul class="causes">
          {causes.map((one) => (
            <Cause key={causeId(one.cause, one.uplink)} cause={one} />
          ))}
        </ul>
        {idle && <p class="dim">{t("coverage.idle", { n: idle.cameras.length })}</p>}
      </section>
      {now.proposals.length > 0 && (
        <section class="side-part" aria-label={t("coverage.stops")}>
          <h2>
            {t("coverage.stops")} <span class="num dim">{now.proposals.length}</span>
          </h2>
          <ul class="stops">
            {now.proposals.map((one) => (
              <Stop key={one.id} stop={one} />
            ))}
          </ul>
        </section>
      )}
      <section class="side-part spots" aria-label={t("coverage.spots")}>
        <h2>
          {t("coverage.spots")} <span class="num dim">{count(now.blind_spots_all)}</span>
        </h2>
        <Virtual
          class="page-rows"
          label={t("coverage.spots")}
          ids={now.blind_spots.map((_, index) => String(index))}
          rowHeight={SPOT_PX}
          focus={chosenSpot.value === null ? null : String(chosenSpot.value)}
          testid="blind-spots"
          row={(id) => <Spot index={Number(id)} />}
        />
      </section>
    </>
  );
}

/** One reason is one line, however many cameras it took away. */
function Cause({ cause }: { cause: LossCause }) {
  const id = causeId(cause.cause, cause.uplink);
  const chosen = chosenCause.value === id;
  const reveal = (): void => {
    chosenCause.value = chosen ? null : id;
    const lost = new Set(cause.cameras);
    if (!chosen) showShapes((views.value?.features ?? []).filter((one) => lost.has(one.properties.camera)).map((one) => one.geometry));
  };
  return (
    <li class={`cause${chosen ? " selected" : ""}`} data-testid="cause" data-cause={id}>
      <button type="button" class="row-button" aria-expanded={chosen} onClick={reveal}>
        <i class={cause.cause === "unverified" ? "legend-doubt" : "legend-lost"} />
        <span class="two-lines">
          <strong class="clip">
            {word("coverage.state", cause.cause)}
            {cause.uplink ? ` ${cause.uplink}` : ""}
          </strong>
          <span class="dim">
            {t("coverage.cameras", { n: cause.cameras.length })}
            {cause.since ? ` · ${lapse(clockNow.value - Date.parse(cause.since))}` : ""}
          </span>
        </span>
        <span class="num right">−{area(cause.lost_m2)}</span>
      </button>
      {chosen && (
        <div class="cause-more">
          <p>{t(`coverage.do.${cause.cause}` as Key)}</p>
          <p class="dim">{cause.cameras.map((one) => `${one} ${cameraName(one)}`).join(" · ")}</p>
          {cause.incident && (
            <button type="button" class="btn small" onClick={() => showIncident(cause.incident ?? "")}>
              {t("coverage.incident")}
            </button>
          )}
        </div>
      )}
    </li>
  );
}

function Stop({ stop }: { stop: StopProposal }) {
  const reveal = (): void => showShapes([{ type: "Point", coordinates: [stop.lon, stop.lat] }]);
  return (
    <li class="stop" data-testid="stop-proposal" data-state={stop.state} data-cell={stop.grid_cell}>
      <button type="button" class="row-button" onClick={reveal}>
        <span class={`stop-mark ${stop.state}`} aria-hidden="true">
          {stop.state === "made" ? "✓" : "!"}
        </span>
        <span class="two-lines">
          <strong class="clip">{placeName(stop.grid_cell)}</strong>
          <span class="dim clip" title={stop.why}>
            {reasonIn(lang.value, stop.why)}
          </span>
        </span>
      </button>
      {stop.state === "made" ? (
        <span class="dim">{t("coverage.stop.by", { name: stop.by ?? t("coverage.stop.itself") })}</span>
      ) : (
        mayDispatch() && (
          <button type="button" class="btn small" data-testid="stop-accept" onClick={() => void accept(stop.id)}>
            {t("coverage.stop.accept")}
          </button>
        )
      )}
    </li>
  );
}

function touchWords(spot: BlindSpot): string {
  const kinds = new Map<string, number>();
  for (const [kind] of spot.touches.map(touched)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [...kinds].map(([kind, times]) => word("coverage.touch", kind) + (times > 1 ? ` ×${times}` : "")).join(" · ");
}

function Spot({ index }: { index: number }) {
  const spot = coverage.value?.blind_spots[index];
  if (!spot) return null;
  const lost = missingOf.value[index] ?? [];
  const chosen = chosenSpot.value === index;
  return (
    <div class={`spot${chosen ? " selected" : ""}`} data-testid="blind-spot">
      <button
        type="button"
        class="row-button"
        aria-current={chosen ? "true" : undefined}
        onClick={() => {
          chosenSpot.value = index;
          showShapes([spot.outline]);
        }}
      >
        <span class="rank num">{index + 1}</span>
        <span class="two-lines">
          <strong class="clip">{touchWords(spot) || t("coverage.touch.none")}</strong>
          <span class="dim clip">{[placeName(spot.grid_cell || spot.compound || spot.community), ...spot.names.map(inLanguage)].join(" · ")}</span>
          <span class={`clip ${lost.length > 0 ? "lost-text" : "dim"}`}>
            {lost.length > 0 ? t("coverage.why.lost", { cameras: lost.slice(0, 3).join(", ") }) : t("coverage.why.never")}
          </span>
        </span>
        <span class="num right">{area(spot.area_m2)}</span>
      </button>
      {lost.length === 0 && session.value?.principal.areas.length === 0 && (
        <button
          type="button"
          class="btn quiet small"
          title={t("coverage.plan.here")}
          onClick={() => {
            place.value = spot.grid_cell || spot.compound || null;
            mode.value = "plan";
          }}
        >
          {t("coverage.plan.short")}
        </button>
      )}
    </div>
  );
}
