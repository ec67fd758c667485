import { Icon } from "../controls/shapes";
import { t } from "../i18n";
import { mapAddress } from "./place";

/** Opens the phone's own map at a place, which knows the way. */
export function Navigate({ lon, lat }: { lon: number; lat: number }) {
  return (
    <a class="btn phone-second" href={mapAddress(lon, lat, navigator.userAgent)} data-testid="phone-navigate">
      <Icon name="pin" size={20} />
      {t("phone.navigate")}
    </a>
  );
}
