import { t } from "../i18n";
import { placeName, site } from "../state";
import { cellsByCommunity } from "./areas";

interface AreaPickerProps {
  areas: readonly string[];
  onChange: (areas: readonly string[]) => void;
  hint?: string;
}

/** Which communities and grid cells something is limited to; nothing ticked is the whole sub-district. */
export function AreaPicker({ areas, onChange, hint = t("area.hint") }: AreaPickerProps) {
  const places = site.value?.places.features.map((one) => one.properties) ?? [];
  const toggle = (id: string): void => onChange(areas.includes(id) ? areas.filter((one) => one !== id) : [...areas, id]);
  return (
    <fieldset class="areas" data-testid="areas">
      <legend>{t("area.title")}</legend>
      <p>{hint}</p>
      {[...cellsByCommunity(places)].map(([community, cells]) => (
        <div key={community}>
          <Tick id={community} areas={areas} toggle={toggle} />
          <details open={cells.some((cell) => areas.includes(cell))}>
            <summary>{t("area.cells", { name: placeName(community) })}</summary>
            {cells.map((cell) => (
              <Tick key={cell} id={cell} areas={areas} toggle={toggle} />
            ))}
          </details>
        </div>
      ))}
    </fieldset>
  );
}

function Tick({ id, areas, toggle }: { id: string; areas: readonly string[]; toggle: (id: string) => void }) {
  return (
    <label>
      <input type="checkbox" checked={areas.includes(id)} data-testid={`area-${id}`} onChange={() => toggle(id)} />
      {placeName(id)}
    </label>
  );
}
