import { useState } from "preact/hooks";

import { t, word } from "../i18n";
import { placeName, site } from "../state";
import { entryById, facts, learnChange, sentence } from "./facts";
import { BULK_FIELDS, type BulkField } from "./records";
import { registry } from "./requests";

const NUMBERS: readonly BulkField[] = ["night_range_m", "height_m", "tilt_deg"];

/** What the typed text is as a value of the field. */
export function bulkValue(field: BulkField, text: string): boolean | number | string | null {
  if (field === "enabled") return text === "true";
  if (NUMBERS.includes(field)) return text === "" ? null : Number(text);
  return text;
}

function options(field: BulkField): (readonly [string, string])[] | null {
  const places = (kind: string): (readonly [string, string])[] =>
    (site.value?.places.features ?? [])
      .filter((one) => one.properties.kind === kind)
      .map((one) => [one.properties.id, placeName(one.properties.id)] as const);
  if (field === "compound" || field === "grid_cell") return places(field);
  if (field === "credential") return [["", t("registry.none")], ...(facts.value?.credentials ?? []).map((one) => [one.name, one.name] as const)];
  if (field === "transport") return ["tcp", "udp"].map((one) => [one, one.toUpperCase()] as const);
  if (field === "enabled") return [["true", t("registry.yes")] as const, ["false", t("registry.no")] as const];
  return null;
}

/** One change for all chosen cameras: all of them or none. */
export function BulkBar({ chosen, onDone }: { chosen: ReadonlySet<string>; onDone: () => void }) {
  const [field, setField] = useState<BulkField>("enabled");
  const [text, setText] = useState("true");
  const [failed, setFailed] = useState("");
  const choices = options(field);
  const apply = async (event: Event): Promise<void> => {
    event.preventDefault();
    const digests = Object.fromEntries([...chosen].map((id) => [id, entryById.value.get(id)?.digest ?? ""]));
    try {
      await learnChange(await registry.change(digests, { [field]: bulkValue(field, text) }));
      onDone();
    } catch (reason) {
      setFailed(sentence(reason));
    }
  };
  return (
    <form class="bulk-bar" aria-label={t("registry.bulk")} data-testid="bulk-bar" onSubmit={(event) => void apply(event)}>
      <strong>{t("registry.chosen", { n: chosen.size })}</strong>
      <select
        class="input"
        aria-label={t("registry.bulk.field")}
        value={field}
        data-testid="bulk-field"
        onChange={(event) => {
          const next = event.currentTarget.value as BulkField;
          setField(next);
          setText(options(next)?.[0]?.[0] ?? "");
        }}
      >
        {BULK_FIELDS.map((one) => (
          <option key={one} value={one}>
            {word("field", one)}
          </option>
        ))}
      </select>
      {choices ? (
        <select class="input" aria-label={word("field", field)} value={text} data-testid="bulk-value" onChange={(event) => setText(event.currentTarget.value)}>
          {choices.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      ) : (
        <input
          class="input"
          type={NUMBERS.includes(field) ? "number" : "text"}
          step="any"
          aria-label={word("field", field)}
          value={text}
          data-testid="bulk-value"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      )}
      <button class="btn primary" data-testid="bulk-apply">
        {t("registry.bulk.apply", { n: chosen.size })}
      </button>
      <button type="button" class="btn quiet" onClick={onDone}>
        {t("registry.bulk.clear")}
      </button>
      <span class="fault-text" role="alert">
        {failed}
      </span>
    </form>
  );
}
