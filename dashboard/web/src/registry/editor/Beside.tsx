import { useState } from "preact/hooks";

import { eventPicture } from "../../api";
import { timeOf, written } from "../../clock";
import { LevelShape } from "../../controls/shapes";
import { t, word } from "../../i18n";
import { matter } from "../../incident/matter";
import { LiveTile } from "../../live/LiveTile";
import { show } from "../../shell/desk";
import { incidents, statuses } from "../../state";
import { facts, sentence } from "../facts";
import type { Encoder } from "../records";
import { registry } from "../requests";

const MOST_EVENTS = 4;

/** The camera itself beside its form: moving picture, what it saw last, and its encoder. */
export function Beside({ camera }: { camera: string }) {
  const last = [...incidents.value.values()]
    .filter((one) => one.camera === camera || one.cameras.includes(camera))
    .sort((a, b) => b.last_event_at.localeCompare(a.last_event_at))
    .slice(0, MOST_EVENTS);
  return (
    <section class="side-part beside" aria-label={t("editor.beside")}>
      <LiveTile camera={camera} />
      <h2>{t("editor.events")}</h2>
      {last.length === 0 && <p class="dim">{t("editor.events.none")}</p>}
      <ul class="last-events">
        {last.map((one) => (
          <li key={one.id}>
            <button type="button" class="row-button" onClick={() => show(one.id)}>
              {one.best_event && <img src={eventPicture(one.best_event)} alt="" loading="lazy" width={64} height={36} />}
              <LevelShape level={one.severity} size={16} hollow={one.work !== "new"} />
              <span class="clip">{matter(one)}</span>
              <span class="num dim">{`${written(Date.parse(one.last_event_at)).date.slice(5)} ${timeOf(one.last_event_at).slice(0, 5)}`}</span>
            </button>
          </li>
        ))}
      </ul>
      <EncoderPart camera={camera} />
    </section>
  );
}

/** Key frames too far apart cannot be analysed: the camera says how it is set, and one press sets it right. */
function EncoderPart({ camera }: { camera: string }) {
  const [known, setKnown] = useState<Encoder | null>(null);
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const advised = (statuses.value.get(camera)?.advice ?? []).includes("long_gop");
  const networks = facts.value?.camera_networks ?? [];
  const ask = async (write: boolean): Promise<void> => {
    setBusy(true);
    setFailed("");
    try {
      setKnown(write ? (await registry.makeAnalysable(camera)).after : await registry.encoder(camera));
    } catch (reason) {
      setFailed(sentence(reason));
    }
    setBusy(false);
  };
  return (
    <div class="encoder" data-testid="encoder">
      <h2>{t("encoder.title")}</h2>
      {networks.length === 0 ? (
        <p class="dim">{t("encoder.networks")}</p>
      ) : (
        <>
          {known && (
            <p class={known.analysable ? "dim" : "lost-text"}>
              {known.maker} {known.model} · {word("codec", known.codec.toLowerCase())} {known.width_px}×{known.height_px} ·{" "}
              {t("encoder.gop", { s: (known.measured_gop_s ?? known.gop_s).toFixed(1) })}
              {known.smart_codec === "on" ? ` · ${t("encoder.smart")}` : ""}
            </p>
          )}
          <div class="encoder-buttons">
            <button type="button" class="btn small" disabled={busy} onClick={() => void ask(false)}>
              {t("encoder.ask")}
            </button>
            <button
              type="button"
              class={`btn small${advised || known?.analysable === false ? " primary" : ""}`}
              disabled={busy || known?.analysable === true}
              data-testid="encoder-set"
              onClick={() => void ask(true)}
            >
              {t(busy ? "encoder.busy" : "encoder.set")}
            </button>
          </div>
        </>
      )}
      <p class="fault-text" role="alert">
        {failed}
      </p>
    </div>
  );
}
