import { signal } from "@preact/signals";
import { useState } from "preact/hooks";

import { cameraPicture } from "../api";
import { lapse, now, serverNow, timeOf } from "../clock";
import { HealthSign, LevelShape } from "../controls/shapes";
import { Virtual } from "../controls/Virtual";
import { t, word, type Key } from "../i18n";
import { matter } from "../incident/matter";
import { useFreshStatuses } from "../live/fresh";
import { LiveTile } from "../live/LiveTile";
import { focusOn } from "../map/focus";
import type { CameraStatus } from "../records";
import { show } from "../shell/desk";
import { cameraById, cameraName, open, placeName, site, statuses, tab, watched } from "../state";
import { filtered, listed, type HealthFilter } from "./filter";

const ROW_PX = 60;
const FILTERS: readonly HealthFilter[] = ["all", "online", "degraded", "offline", "awake"];
/** Thumbnails are asked for again this often, each camera at its own moment. */
const THUMBNAIL_S = 30;

/** The camera that another page pointed at. */
export const pointedAt = signal<string | null>(null);

/** All cameras in one list, with their health; the chosen one moves beside it. */
export function Cameras() {
  useFreshStatuses(true);
  const [text, setText] = useState("");
  const [health, setHealth] = useState<HealthFilter>("all");
  const [chosen, setChosen] = useState<string | null>(pointedAt.peek() ?? watched.peek());
  const enabled = (site.value?.cameras.features ?? []).filter((one) => one.properties.enabled);
  const all = enabled.map(({ properties: p }) => listed(p, statuses.value.get(p.id), placeName(p.compound)));
  const ids = filtered(all, text, health);
  const count = (one: HealthFilter): number =>
    one === "all" ? all.length : all.filter((camera) => (one === "awake" ? camera.awake : camera.health === one)).length;
  return (
    <>
      <section class="page-list">
        <header class="page-head">
          <h1>{t("cameras.title")}</h1>
          <input
            class="input"
            type="search"
            value={text}
            placeholder={t("cameras.filter")}
            aria-label={t("cameras.filter")}
            data-testid="camera-filter"
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <div class="segments" role="group" aria-label={t("cameras.column.health")}>
            {FILTERS.map((one) => (
              <button key={one} type="button" aria-pressed={health === one} data-filter={one} onClick={() => setHealth(one)}>
                {one !== "all" && one !== "awake" && <HealthSign health={one} />}
                {one === "all" || one === "awake" ? t(`cameras.${one}`) : t(`health.${one}` as Key)}
                <span class="count num">{count(one)}</span>
              </button>
            ))}
          </div>
          <span class="page-count num">{t("cameras.count", { n: ids.length, all: all.length })}</span>
        </header>
        <div class="camera-row camera-columns" aria-hidden="true">
          <span />
          <span>{t("cameras.column.camera")}</span>
          <span>{t("cameras.column.place")}</span>
          <span>{t("cameras.column.health")}</span>
          <span class="right">{t("cameras.column.rate")}</span>
          <span class="right">{t("cameras.column.frame")}</span>
        </div>
        {ids.length === 0 ? (
          <div class="empty">{t("cameras.none")}</div>
        ) : (
          <Virtual
            class="page-rows"
            label={t("cameras.title")}
            ids={ids}
            rowHeight={ROW_PX}
            testid="camera-list"
            row={(id) => <Row id={id} chosen={chosen === id} onChoose={() => setChosen(id)} />}
          />
        )}
      </section>
      {chosen ? <Detail key={chosen} camera={chosen} /> : <div class="page-side empty">{t("cameras.pick")}</div>}
    </>
  );
}

function Row({ id, chosen, onChoose }: { id: string; chosen: boolean; onChoose: () => void }) {
  const status = statuses.value.get(id);
  const place = cameraById.value.get(id)?.properties;
  const health = status?.health ?? "offline";
  return (
    <button
      type="button"
      class={`camera-row${chosen ? " selected" : ""}`}
      aria-current={chosen ? "true" : undefined}
      data-testid="camera-row"
      data-camera={id}
      data-health={health}
      onClick={onChoose}
    >
      <Thumbnail camera={id} known={Boolean(status?.last_frame_at)} dim={health === "offline"} />
      <span class="camera-name">
        <b class="num">{id}</b>
        <span class="clip">{cameraName(id)}</span>
      </span>
      <span class="camera-name">
        <span class="clip">{placeName(place?.compound ?? "")}</span>
        <span class="clip dim">{placeName(place?.grid_cell ?? "")}</span>
      </span>
      <span class={`health ${health}`}>
        <HealthSign health={health} />
        {t(`health.${health}` as Key)}
        {status && health !== "offline" && <span class="dim">{word("quality", status.quality)}</span>}
      </span>
      <span class="right num dim">{status && status.frames_per_s > 0 ? `${status.frames_per_s.toFixed(1)}/s · ${Math.round(status.kbit_per_s)} kbit/s` : "–"}</span>
      <span class="right num dim">{status?.last_frame_at ? lapse(now.value - Date.parse(status.last_frame_at)) : "–"}</span>
    </button>
  );
}

function Thumbnail({ camera, known, dim }: { camera: string; known: boolean; dim: boolean }) {
  const [failed, setFailed] = useState(false);
  if (!known || failed) return <span class="thumbnail none" />;
  const offset = Number.parseInt(camera.replace(/\D/g, ""), 10) || 0;
  const stamp = Math.floor((now.value / 1000 + offset) / THUMBNAIL_S);
  return (
    <img
      class={`thumbnail${dim ? " dim" : ""}`}
      src={cameraPicture(camera, stamp)}
      width={80}
      height={45}
      alt=""
      loading="lazy"
      decoding="async"
      onError={() => setFailed(true)}
    />
  );
}

function Detail({ camera }: { camera: string }) {
  const place = cameraById.value.get(camera);
  const status = statuses.value.get(camera);
  const alarms = open.value.filter((one) => one.camera === camera);
  return (
    <aside class="page-side camera-detail" aria-label={cameraName(camera)} data-testid="camera-detail">
      <header>
        <h2>
          <span class="num">{camera}</span> {cameraName(camera)}
        </h2>
        <p>{place ? `${placeName(place.properties.grid_cell)} · ${placeName(place.properties.compound)}` : ""}</p>
      </header>
      <LiveTile camera={camera} />
      {place && (
        <button
          type="button"
          class="btn"
          onClick={() => {
            tab.value = "room";
            watched.value = camera;
            focusOn(place.lon, place.lat);
          }}
        >
          {t("cameras.on_map")}
        </button>
      )}
      {status ? <Measures status={status} /> : <p class="dim">{t("cameras.unknown")}</p>}
      {alarms.length > 0 && (
        <section class="camera-alarms">
          <h3>{t("cameras.open_incidents")}</h3>
          {alarms.map((one) => (
            <button key={one.id} type="button" class="btn" onClick={() => show(one.id)}>
              <LevelShape level={one.severity} size={18} hollow={one.work !== "new"} />
              {matter(one)} · {word("work", one.work)}
            </button>
          ))}
        </section>
      )}
    </aside>
  );
}

function Measures({ status }: { status: CameraStatus }) {
  const health = t(`health.${status.health}` as Key);
  const place = cameraById.value.get(status.id)?.properties;
  const rows: (readonly [string, string])[] = [
    [t("live.health"), `${health} · ${word("quality", status.quality)}`],
    [t("cameras.since", { health }), status.since ? `${timeOf(status.since)} (${lapse(serverNow() - Date.parse(status.since))})` : "–"],
    [t("cameras.column.frame"), timeOf(status.last_frame_at)],
    [t("cameras.codec"), word("codec", status.codec)],
    [t("cameras.size"), status.width_px ? `${status.width_px} × ${status.height_px}` : "–"],
    [t("cameras.fps"), status.frames_per_s.toFixed(1)],
    [t("cameras.kbit"), String(Math.round(status.kbit_per_s))],
    [t("cameras.gop"), status.gop_s ? `${status.gop_s.toFixed(1)} s` : "–"],
    [t("cameras.loss"), `${(100 * status.loss).toFixed(2)} %`],
    [t("cameras.skew"), status.skew_s === null ? "–" : `${status.skew_s.toFixed(1)} s`],
    [t("cameras.view"), place ? `${Math.round(place.azimuth_deg)}° · ${Math.round(place.hfov_deg)}°` : "–"],
  ];
  return (
    <dl class="measures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="num">{value}</dd>
        </div>
      ))}
      {status.advice.length > 0 && (
        <div class="measures-error" data-testid="camera-advice">
          <dt>{t("cameras.advice")}</dt>
          {status.advice.map((one) => (
            <dd key={one}>{word("advice", one)}</dd>
          ))}
        </div>
      )}
      {status.error && (
        <div class="measures-error">
          <dt>{t("cameras.error")}</dt>
          <dd>{status.error}</dd>
        </div>
      )}
    </dl>
  );
}
