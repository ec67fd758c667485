import { useState } from "preact/hooks";

import { HealthSign } from "../controls/shapes";
import { t, type Key } from "../i18n";
import { useFreshStatuses } from "../live/fresh";
import type { Health } from "../records";
import { cameraName, placeName, cameraById, site, statuses } from "../state";
import { byUplink, type Fed } from "./uplinks";

const healthOf = (camera: string): Health => statuses.value.get(camera)?.health ?? "offline";

/** The health of all cameras by switch: what fails together stands together. */
export function Uplinks({ onPick }: { onPick: (camera: string) => void }) {
  useFreshStatuses(true);
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const cameras = (site.value?.cameras.features ?? []).map((one) => one.properties);
  const all = byUplink(cameras, healthOf);
  const shown = onlyTrouble ? all.filter((one) => one.count.online < one.cameras.length) : all;
  return (
    <section class="uplinks" aria-label={t("uplinks.title")} data-testid="uplinks">
      <header class="uplinks-head">
        <p class="dim">{t("uplinks.hint")}</p>
        <label class="check">
          <input type="checkbox" checked={onlyTrouble} onChange={(event) => setOnlyTrouble(event.currentTarget.checked)} />
          {t("uplinks.trouble")}
        </label>
      </header>
      <ul>
        {shown.map((fed) => (
          <Switch key={fed.uplink} fed={fed} onPick={onPick} />
        ))}
        {shown.length === 0 && <li class="dim">{t("uplinks.none")}</li>}
      </ul>
    </section>
  );
}

function Switch({ fed, onPick }: { fed: Fed; onPick: (camera: string) => void }) {
  const compounds = [...new Set(fed.cameras.map((one) => cameraById.value.get(one.id)?.properties.compound ?? ""))];
  return (
    <li class={`uplink${fed.dead ? " dead" : ""}`} data-testid="uplink" data-uplink={fed.uplink} data-dead={fed.dead}>
      <div class="uplink-name">
        <strong>{fed.uplink || t("uplinks.unknown")}</strong>
        <span class="dim clip">{compounds.map(placeName).join(", ")}</span>
      </div>
      <div class="uplink-count num">
        {fed.dead ? (
          <span class="health offline">
            <HealthSign health="offline" /> {t("uplinks.dead", { n: fed.count.offline, all: fed.cameras.length })}
          </span>
        ) : (
          <span class={fed.count.offline + fed.count.degraded > 0 ? "" : "dim"}>
            {t("uplinks.count", { n: fed.count.online, all: fed.cameras.length })}
          </span>
        )}
      </div>
      <div class="uplink-cameras">
        {fed.cameras.map(({ id, health }) => (
          <button
            key={id}
            type="button"
            class={`uplink-camera ${health}`}
            title={`${id} ${cameraName(id)} · ${t(`health.${health}` as Key)}`}
            aria-label={`${id} ${cameraName(id)}, ${t(`health.${health}` as Key)}`}
            onClick={() => onPick(id)}
          >
            {health !== "online" && <HealthSign health={health} size={11} />}
            <span class="num">{id}</span>
          </button>
        ))}
      </div>
    </li>
  );
}
