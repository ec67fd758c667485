import type { ComponentChildren } from "preact";

import { t, word } from "../../i18n";
import { inLanguage, site } from "../../state";
import { facts } from "../facts";
import type { Entry, Problem, Size } from "../records";
import { changeCamera, draft, saved } from "./work";

type NumberKey = "lon" | "lat" | "height_m" | "azimuth_deg" | "tilt_deg";
type OptionalKey = "hfov_deg" | "focal_mm" | "sensor_mm" | "night_range_m";
type TextKey = "url_sub" | "url_main" | "uplink" | "certificate_sha256" | "gb_code" | "id";

/** All that a camera is configured with; what the server refused stands at its field. */
export function CameraForm({ problems }: { problems: readonly Problem[] }) {
  const { camera } = draft.value;
  const wrong = (field: string): string => problems.filter((one) => one.field === field).map((one) => one.reason).join("; ");
  const set = (more: Partial<Entry>, of: string): void => changeCamera({ ...camera, ...more }, of);
  const number = (key: NumberKey) => (
    <NumberField key={key} field={key} value={camera[key]} wrong={wrong(key)} onInput={(value) => value !== null && set({ [key]: value }, key)} />
  );
  const optional = (key: OptionalKey) => (
    <NumberField key={key} field={key} value={camera[key]} wrong={wrong(key)} onInput={(value) => set({ [key]: value }, key)} />
  );
  const text = (key: TextKey, disabled = false) => (
    <TextField key={key} field={key} value={camera[key]} wrong={wrong(key)} disabled={disabled} onInput={(value) => set({ [key]: value }, key)} />
  );
  return (
    <form class="camera-form" data-testid="camera-form" onSubmit={(event) => event.preventDefault()}>
      <Part title={t("editor.part.name")}>
        {text("id", saved.value.digest !== "")}
        <label class="check field-enabled">
          <input type="checkbox" checked={camera.enabled} onChange={(event) => set({ enabled: event.currentTarget.checked }, "")} />
          {word("field", "enabled")}
        </label>
        <TextField field="name_zh" value={camera.name.zh} wrong={wrong("name_zh")} onInput={(zh) => set({ name: { ...camera.name, zh } }, "zh")} />
        <TextField field="name_en" value={camera.name.en} wrong={wrong("name_en")} onInput={(en) => set({ name: { ...camera.name, en } }, "en")} />
        <PlaceField kind="compound" value={camera.compound} wrong={wrong("compound")} onChange={(compound) => set({ compound }, "")} />
        <PlaceField kind="grid_cell" value={camera.grid_cell} wrong={wrong("grid_cell")} onChange={(grid_cell) => set({ grid_cell }, "")} />
      </Part>
      <Part title={t("editor.part.view")}>
        {(["lon", "lat", "height_m", "azimuth_deg", "tilt_deg"] as const).map(number)}
        {(["hfov_deg", "focal_mm", "sensor_mm", "night_range_m"] as const).map(optional)}
        <SizeField field="analysed_px" value={camera.analysed_px} wrong={wrong("analysed_px")} onInput={(analysed_px) => set({ analysed_px }, "analysed")} />
        <SizeField field="recorded_px" value={camera.recorded_px} wrong={wrong("recorded_px")} onInput={(recorded_px) => set({ recorded_px }, "recorded")} />
      </Part>
      <Part title={t("editor.part.line")}>
        {text("url_sub")}
        {text("url_main")}
        <ChoiceField
          field="credential"
          value={camera.credential}
          wrong={wrong("credential")}
          options={[["", t("registry.none")], ...(facts.value?.credentials ?? []).map((one) => [one.name, one.name] as const)]}
          onChange={(credential) => set({ credential }, "")}
        />
        <ChoiceField
          field="transport"
          value={camera.transport}
          wrong={wrong("transport")}
          options={[
            ["tcp", "TCP"],
            ["udp", "UDP"],
          ]}
          onChange={(transport) => set({ transport: transport as Entry["transport"] }, "")}
        />
        {text("uplink")}
        {text("gb_code")}
        {text("certificate_sha256")}
        <label class="check field-own_motion">
          <input type="checkbox" checked={camera.own_motion} onChange={(event) => set({ own_motion: event.currentTarget.checked }, "")} />
          {word("field", "own_motion")}
        </label>
        {wrong("own_motion") && (
          <span class="fault-text" role="alert">
            {wrong("own_motion")}
          </span>
        )}
      </Part>
    </form>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

interface FieldProps {
  field: string;
  wrong: string;
  children: ComponentChildren;
}

function Labelled({ field, wrong, children }: FieldProps) {
  return (
    <label class={`field field-${field}`}>
      {word("field", field)}
      {children}
      {wrong && (
        <span class="fault-text" role="alert">
          {wrong}
        </span>
      )}
    </label>
  );
}

interface TextFieldProps {
  field: string;
  value: string;
  wrong: string;
  disabled?: boolean;
  onInput: (value: string) => void;
}

function TextField({ field, value, wrong, disabled = false, onInput }: TextFieldProps) {
  return (
    <Labelled field={field} wrong={wrong}>
      <input
        class="input"
        value={value}
        disabled={disabled}
        spellcheck={false}
        autocomplete="off"
        data-testid={`field-${field}`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </Labelled>
  );
}

interface NumberFieldProps {
  field: string;
  value: number | null;
  wrong: string;
  onInput: (value: number | null) => void;
}

function NumberField({ field, value, wrong, onInput }: NumberFieldProps) {
  return (
    <Labelled field={field} wrong={wrong}>
      <input
        class="input num"
        type="number"
        step="any"
        value={value ?? ""}
        data-testid={`field-${field}`}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          if (typed === "") onInput(null);
          else if (Number.isFinite(Number(typed))) onInput(Number(typed));
        }}
      />
    </Labelled>
  );
}

function SizeField({ field, value, wrong, onInput }: { field: string; value: Size; wrong: string; onInput: (size: Size) => void }) {
  return (
    <Labelled field={field} wrong={wrong}>
      <span class="size-field">
        {([0, 1] as const).map((axis) => (
          <input
            key={axis}
            class="input num"
            type="number"
            value={value[axis]}
            aria-label={`${word("field", field)} ${axis + 1}`}
            onInput={(event) => {
              const size: Size = [...value];
              size[axis] = Math.round(Number(event.currentTarget.value)) || 0;
              onInput(size);
            }}
          />
        ))}
      </span>
    </Labelled>
  );
}

interface ChoiceFieldProps {
  field: string;
  value: string;
  wrong: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

function ChoiceField({ field, value, wrong, options, onChange }: ChoiceFieldProps) {
  return (
    <Labelled field={field} wrong={wrong}>
      <select class="input" value={value} data-testid={`field-${field}`} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

function PlaceField({ kind, value, wrong, onChange }: { kind: "compound" | "grid_cell"; value: string; wrong: string; onChange: (id: string) => void }) {
  const places = (site.value?.places.features ?? []).map((one) => one.properties).filter((one) => one.kind === kind);
  const options = places.map((one) => [one.id, inLanguage({ zh: one.name_zh, en: one.name_en })] as const);
  return <ChoiceField field={kind} value={value} wrong={wrong} options={[["", "–"], ...options]} onChange={onChange} />;
}
