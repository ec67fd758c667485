import { t, word } from "../../i18n";
import { facts } from "../facts";
import type { RuleEntry } from "../records";
import { keyOf, LABELS, ofKind, shapesOf, withLabel, type Shape } from "./outlines";
import { change, chosenShape, draft, removeShape } from "./work";

const LEVELS = [1, 2, 3, 4] as const;
const DEFAULT_LEVEL = 2;

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
      {draft.value.privacy.length > 0 && <p class="dim">{t("picture.live")}</p>}
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
  const setKind = (kind: string): void => {
    const other = ofKind(rule, kind, facts.value?.rule_kinds[kind]?.keys ?? []);
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
      <Limits rule={rule} set={set} />
    </div>
  );
}

interface LimitsProps {
  rule: RuleEntry;
  set: (more: Partial<RuleEntry>, of?: string) => void;
}

/** What it looks for, for how long, and how much that matters; what a rule does not say is the default of its kind. */
function Limits({ rule, set }: LimitsProps) {
  const about = facts.value?.rule_kinds[rule.kind];
  const labels = rule.labels ?? about?.labels ?? [];
  return (
    <>
      <label class="field">
        {t("picture.rule.severity")}
        <select
          class="input"
          value={rule.severity ?? DEFAULT_LEVEL}
          data-testid="rule-severity"
          onChange={(event) => set({ severity: Number(event.currentTarget.value) })}
        >
          {LEVELS.map((level) => (
            <option key={level} value={level}>
              {word("level", String(level))}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        {t("picture.rule.dwell")}
        <input
          class="input num"
          type="number"
          min={0}
          step="any"
          value={rule.dwell_s ?? about?.dwell_s}
          data-testid="rule-dwell"
          onInput={(event) => event.currentTarget.value !== "" && set({ dwell_s: Number(event.currentTarget.value) }, "rule-dwell")}
        />
      </label>
      {about?.keys.includes("labels") && (
        <fieldset class="rule-labels">
          <legend>{t("picture.rule.labels")}</legend>
          {LABELS.map((one) => (
            <label key={one} class="check">
              <input
                type="checkbox"
                checked={labels.includes(one)}
                data-testid={`rule-label-${one}`}
                onChange={() => set({ labels: withLabel(labels, one) })}
              />
              {word("label", one)}
            </label>
          ))}
        </fieldset>
      )}
    </>
  );
}
