import { HealthSign, Icon } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { focusOn } from "../map/focus";
import { cameraById, cameraName, placeName, statuses, watched } from "../state";
import { useFreshStatuses } from "./fresh";
import { LiveTile } from "./LiveTile";

/** The large live picture over the map, of a camera picked there or with `L`. */
export function Window() {
  const camera = watched.value;
  useFreshStatuses(camera !== null);
  if (!camera) return null;
  const place = cameraById.value.get(camera);
  const status = statuses.value.get(camera);
  return (
    <section class="live-window" aria-label={t("live.region", { camera: cameraName(camera) })} data-testid="live-window">
      <header>
        <strong class="clip">
          <span class="num">{camera}</span> {cameraName(camera)}
        </strong>
        {status && (
          <span class={`health ${status.health}`}>
            <HealthSign health={status.health} />
            {t(`health.${status.health}` as Key)}
          </span>
        )}
        <span class="live-window-place clip">
          {place ? `${placeName(place.properties.grid_cell)} · ${placeName(place.properties.compound)}` : ""}
        </span>
        {place && (
          <button
            type="button"
            class="btn quiet icon small"
            title={t("cameras.on_map")}
            aria-label={t("cameras.on_map")}
            onClick={() => focusOn(place.lon, place.lat)}
          >
            <Icon name="pin" size={16} />
          </button>
        )}
        <button
          type="button"
          class="btn quiet icon small"
          title={`${t("live.close")} (Esc)`}
          aria-label={t("live.close")}
          onClick={() => (watched.value = null)}
        >
          <Icon name="close" size={16} />
        </button>
      </header>
      <LiveTile camera={camera} testid="live-video-large" large />
      {status && (
        <footer class="num">
          {status.width_px > 0 && `${status.width_px}×${status.height_px} · `}
          {word("codec", status.codec)} · {t("live.rate", { n: status.frames_per_s.toFixed(1) })} ·{" "}
          {Math.round(status.kbit_per_s)} kbit/s
        </footer>
      )}
    </section>
  );
}
