import { t } from "../i18n";
import type { Incident, PlaceProperties } from "../records";
import { site } from "./facts";
import { mapAddress, position } from "./place";

const SPAN_M = 420;
const METRES_PER_DEGREE = 111_320;
const KINDS: readonly PlaceProperties["kind"][] = ["compound", "building", "grid_cell"];

/** The surroundings of the incident as a plain drawing: it needs no network and no graphics chip. */
export function MiniMap({ incident }: { incident: Incident }) {
  const { lon, lat } = incident;
  const known = site.value;
  if (lon === null || lat === null || !known) return null;
  const east = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  const x = (value: number): number => (value - lon) * east + SPAN_M / 2;
  const y = (value: number): number => SPAN_M / 2 - (value - lat) * METRES_PER_DEGREE;
  const near = known.places.features.filter(({ geometry, properties }) => {
    const [first] = geometry.coordinates[0] ?? [];
    if (!first || !KINDS.includes(properties.kind)) return false;
    return Math.abs(x(first[0] ?? 0) - SPAN_M / 2) < 2 * SPAN_M && Math.abs(y(first[1] ?? 0) - SPAN_M / 2) < 2 * SPAN_M;
  });
  const rank = (kind: PlaceProperties["kind"]): number => KINDS.indexOf(kind);
  near.sort((a, b) => rank(a.properties.kind) - rank(b.properties.kind));
  return (
    <a class="minimap" href={mapAddress(lon, lat, navigator.userAgent)} aria-label={t("phone.map")}>
      <svg viewBox={`0 0 ${SPAN_M} ${SPAN_M}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
        {near.map(({ geometry, properties }) => (
          <polygon
            key={properties.id}
            class={properties.kind}
            points={(geometry.coordinates[0] ?? []).map(([px = 0, py = 0]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" ")}
          />
        ))}
        {position.value && <circle class="me" cx={x(position.value.lon)} cy={y(position.value.lat)} r="9" />}
        <circle class={`goal level-${incident.severity}`} cx={SPAN_M / 2} cy={SPAN_M / 2} r="16" />
        <circle class={`goal dot level-${incident.severity}`} cx={SPAN_M / 2} cy={SPAN_M / 2} r="7" />
      </svg>
      <span>{t("phone.map")}</span>
    </a>
  );
}
