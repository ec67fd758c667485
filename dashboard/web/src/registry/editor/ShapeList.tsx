import { t, word } from "../../i18n";
import { facts } from "../facts";
import type { RuleEntry } from "../records";
import { keyOf, shapesOf, type Shape } from "./outlines";
import { change, chosenShape, draft, removeShape } from "./work";

/** The shapes by name; of a zone or line what its rule says. */
export function ShapeList() {
  const shapes = shapesOf(draft.value);
  const chosen = chosenShape.value && keyOf(chosenShape.value);
  return (
    <section class="side-part" aria-label={t("picture.shapes")}>
      <h2>
        {t("picture.shapes")} <span class="num dim">{shapes.length}</span>
      </h2>
      {shapes.length === 0 && <p class="dim">{t("picture.shapes.none")}</p>}
      <ul class="shapes">
        {shapes.map((shape) => (
          <li key={keyOf(shape)} class={keyOf(shape) === chosen ? "selected" : ""} data-testid="shape" data-layer={shape.layer}>
            <button type="button" class="row-button" onClick={() => (chosenShape.value = { layer: shape.layer, index: shape.index })}>
              <i class={`swatch ${shape.layer}`} />
              <span class="clip">{title(shape)}</span>
            </button>
            <button type="button" class="btn quiet small" onClick={() => removeShape(shape)}>
              {t("picture.remove")}
            </button>
            {keyOf(shape) === chosen && (shape.layer === "zone" || shape.layer === "line") && <Rule shape={shape} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function title({ layer, index }: Shape): string {
  if (layer === "privacy" || layer === "ignore") return `${word("picture.layer", layer)} ${index + 1}`;
  const rule = draft.value.rules[index];
  return rule ? `${word("kind", rule.kind)} · ${rule.name}` : "";
}

function Rule({ shape }: { shape: Shape }) {
  const rule = draft.value.rules[shape.index];
  if (!rule) return null;
  const kinds = Object.entries(facts.value?.rule_kinds ?? {}).filter(([, about]) => about.keys.includes(shape.layer));
  const set = (more: Partial<RuleEntry>, of = ""): void =>
    change({ ...draft.value, rules: draft.value.rules.map((one, at) => (at === shape.index ? ({ ...one, ...more } as RuleEntry) : one)) }, of);
  /** Another kind knows other keys: what the old one had besides name, schedule and shape goes. */
  const setKind = (kind: string): void => {
    const known = facts.value?.rule_kinds[kind]?.keys ?? [];
    const stays = (key: string): boolean => ["name", "zone_name"].includes(key) || (known.includes(key) && key !== "labels");
    const kept = Object.fromEntries(Object.entries(rule).filter(([key]) => stays(key)));
    const other: RuleEntry = { ...kept, name: rule.name, kind };
    change({ ...draft.value, rules: draft.value.rules.map((one, at) => (at === shape.index ? other : one)) });
  };
  return (
    <div class="rule-form">
      <label class="field">
        {t("picture.rule.kind")}
        <select class="input" value={rule.kind} onChange={(event) => setKind(event.currentTarget.value)}>
          {kinds.map(([kind]) => (
            <option key={kind} value={kind}>
              {word("kind", kind)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        {t("picture.rule.name")}
        <input class="input" value={rule.name} onInput={(event) => set({ name: event.currentTarget.value }, "rule-name")} />
      </label>
      {(["zh", "en"] as const).map((language) => (
        <label key={language} class="field">
          {t(language === "zh" ? "picture.rule.zh" : "picture.rule.en")}
          <input
            class="input"
            value={rule.zone_name?.[language] ?? ""}
            onInput={(event) => set({ zone_name: { zh: "", en: "", ...rule.zone_name, [language]: event.currentTarget.value } }, `rule-${language}`)}
          />
        </label>
      ))}
      <label class="field">
        {t("picture.rule.schedule")}
        <input
          class="input"
          value={typeof rule.schedule === "string" ? rule.schedule : "always"}
          onInput={(event) => set({ schedule: event.currentTarget.value }, "rule-schedule")}
        />
      </label>
    </div>
  );
}
