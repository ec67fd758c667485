import { useEffect, useMemo, useState } from "preact/hooks";

import { serverNow } from "../clock";
import { Icon } from "../controls/shapes";
import { t } from "../i18n";
import { MOST_PHOTOS, shrink } from "./photos";

export interface Taken {
  jpeg: Blob;
  /** ISO 8601 UTC. */
  at: string;
}

/** Photos of a report before it is sent: a button that opens the camera, and what was taken. */
export function PhotoPicker({ taken, onChange }: { taken: readonly Taken[]; onChange: (taken: readonly Taken[]) => void }) {
  const [failed, setFailed] = useState(false);
  const add = async (input: HTMLInputElement): Promise<void> => {
    const files = [...(input.files ?? [])].slice(0, MOST_PHOTOS - taken.length);
    input.value = "";
    setFailed(false);
    const at = new Date(serverNow()).toISOString();
    try {
      onChange([...taken, ...(await Promise.all(files.map(async (file) => ({ jpeg: await shrink(file), at }))))]);
    } catch {
      setFailed(true);
    }
  };
  return (
    <div class="phone-photos">
      {taken.map((photo, index) => (
        <Thumbnail key={index} jpeg={photo.jpeg} label={t("phone.photo.remove", { n: index + 1 })} onRemove={() => onChange(taken.filter((one) => one !== photo))} />
      ))}
      {taken.length < MOST_PHOTOS && (
        <label class="btn phone-photo-add">
          <Icon name="cameras" size={20} />
          {t("phone.photo.add")}
          <input
            type="file"
            accept="image/*"
            capture="environment"
            data-testid="phone-photo"
            onChange={(event) => void add(event.currentTarget)}
          />
        </label>
      )}
      {failed && <p role="alert">{t("phone.photo.unreadable")}</p>}
    </div>
  );
}

function Thumbnail({ jpeg, label, onRemove }: { jpeg: Blob; label: string; onRemove: () => void }) {
  const address = useMemo(() => URL.createObjectURL(jpeg), [jpeg]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return (
    <button type="button" class="phone-photo" aria-label={label} onClick={onRemove} data-testid="phone-photo-taken">
      <img src={address} alt="" />
      <span aria-hidden="true">×</span>
    </button>
  );
}
