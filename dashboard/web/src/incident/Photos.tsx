import { useEffect, useState } from "preact/hooks";

import { api, photoPicture } from "../api";
import { timeOf } from "../clock";
import { Dialog } from "../controls/Dialog";
import { t } from "../i18n";
import type { HistoryEntry, PhotoRecord } from "../records";

/** A photo received so much later than it was taken waited on a phone without network. */
const LATE_MS = 30_000;

/** What teams sent with their reports and arrivals, each with its time. Nothing while there is none. */
export function Photos({ incident, entries }: { incident: string; entries: readonly HistoryEntry[] }) {
  const count = entries.filter((entry) => entry.step === "photo").length;
  const [photos, setPhotos] = useState<readonly PhotoRecord[]>([]);
  const [large, setLarge] = useState<PhotoRecord | null>(null);
  useEffect(() => {
    let stale = false;
    setPhotos([]);
    if (count > 0) {
      api
        .photos(incident)
        .then((found) => !stale && setPhotos(found))
        // The history says that there are some; the next change asks again.
        .catch(() => undefined);
    }
    return () => {
      stale = true;
    };
  }, [incident, count]);
  if (photos.length === 0) return null;
  return (
    <section class="photos" aria-label={t("panel.photos")} data-testid="photos">
      <h3>{t("panel.photos")}</h3>
      <ul>
        {photos.map((photo) => (
          <li key={photo.id}>
            {photo.kept ? (
              <button type="button" onClick={() => setLarge(photo)} aria-label={t("panel.photo", { time: timeOf(photo.at) })}>
                <img src={photoPicture(photo.id)} width={photo.width_px} height={photo.height_px} alt="" loading="lazy" />
              </button>
            ) : (
              <p>{t("panel.photo.gone", { time: timeOf(photo.at) })}</p>
            )}
            <Times photo={photo} />
          </li>
        ))}
      </ul>
      {large && (
        <Dialog title={t("panel.photo", { time: timeOf(large.at) })} wide onClose={() => setLarge(null)}>
          <img class="photo-large" src={photoPicture(large.id)} alt={t("panel.photo", { time: timeOf(large.at) })} />
        </Dialog>
      )}
    </section>
  );
}

function Times({ photo }: { photo: PhotoRecord }) {
  const late = Date.parse(photo.recorded_at) - Date.parse(photo.at) > LATE_MS;
  return (
    <time class="num" dateTime={photo.at}>
      {timeOf(photo.at)}
      {late && ` (${t("panel.photo.late", { time: timeOf(photo.recorded_at) })})`}
    </time>
  );
}
