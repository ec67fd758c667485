import { useState } from "preact/hooks";

import { ApiError } from "../api";
import { Dialog } from "../controls/Dialog";
import { t, word } from "../i18n";
import { fail, isConflict, sentence } from "../registry/facts";
import type { Problem } from "../registry/records";
import { AreaPicker } from "../users/AreaPicker";
import { entered, isAmbiguous, listed, texts } from "./entered";
import { FIELDS, label, type Around, type Field, type FormName } from "./fields";
import type { Value, Values } from "./requests";

interface EntryFormProps {
  form: FormName;
  /** Of the table in its file, from 1; 0: what stands above all tables. */
  number: number;
  isNew: boolean;
  values: Values;
  around: Around;
  onSave: (values: Values) => Promise<void>;
  /** Somebody else changed the file first: reads it again, so that saving once more is about the file as it is. */
  onConflict: () => Promise<void>;
  onClose: () => void;
}

/** A problem that the page finds by itself is in no file yet. */
const NOWHERE = { file: "", line: null, camera: "" };

/** One table of a settings file; what the server refused stands at its field. */
export function EntryForm({ form, number, isNew, values, around, onSave, onConflict, onClose }: EntryFormProps) {
  const [draft, setDraft] = useState<Readonly<Record<string, readonly string[]>>>({});
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [failed, setFailed] = useState("");
  const [isBusy, setBusy] = useState(false);
  const mine = number === 0 ? "" : `${form} ${number}: `;
  const known = FIELDS[form].map(({ key }) => mine + key);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setFailed("");
    const unclear = FIELDS[form].filter((field) => isAmbiguous(field, draft[field.key] ?? []));
    setProblems(unclear.map(({ key }) => ({ ...NOWHERE, field: mine + key, reason: t("settings.ambiguous") })));
    if (unclear.length > 0) return;
    setBusy(true);
    const told = FIELDS[form].map((field): [string, Value | undefined] => [field.key, draft[field.key] ? entered(field, draft[field.key] ?? []) : values[field.key]]);
    try {
      await onSave(Object.fromEntries(told.filter((one): one is [string, Value] => one[1] !== undefined)));
    } catch (reason) {
      const isLate = isConflict(reason);
      if (isLate) await onConflict().catch(fail);
      const found = reason instanceof ApiError ? (reason.more.problems ?? []) : [];
      setProblems(found);
      const others = found.filter((one) => !known.includes(one.field));
      setFailed(isLate ? `${sentence(reason)} ${t("settings.newer")}` : found.length === 0 ? sentence(reason) : others.map((one) => [one.file, one.field, one.reason].filter(Boolean).join(": ")).join("; "));
      setBusy(false);
    }
  };
  const title = `${word("setting.form", form)} · ${isNew ? t("settings.new") : t("settings.edit")}`;
  return (
    <Dialog title={title} onClose={onClose} testid="entry-form">
      <form class="entry-form" noValidate onSubmit={(event) => void submit(event)}>
        <div class="entry-fields">
          {FIELDS[form].map((field) => (
            <EntryField
              key={field.key}
              form={form}
              field={field}
              given={draft[field.key] ?? texts(values[field.key])}
              around={around}
              wrong={problems.filter((one) => one.field === mine + field.key).map((one) => one.reason).join("; ")}
              onChange={(given) => setDraft({ ...draft, [field.key]: given })}
            />
          ))}
        </div>
        <p class="fault-text" role="alert" data-testid="entry-failed">
          {failed}
        </p>
        <div class="dialog-buttons">
          <button class="btn primary" disabled={isBusy} data-testid="entry-save">
            {t("editor.save")}
          </button>
          <button type="button" class="btn quiet" onClick={onClose}>
            {t("act.cancel")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface EntryFieldProps {
  form: FormName;
  field: Field;
  given: readonly string[];
  around: Around;
  wrong: string;
  onChange: (given: readonly string[]) => void;
}

function EntryField({ form, field, given, around, wrong, onChange }: EntryFieldProps) {
  const name = label(form, field.key) + (field.needed ? " *" : "");
  const fault = wrong && (
    <span class="fault-text" role="alert" data-testid={`wrong-${field.key}`}>
      {wrong}
    </span>
  );
  const common = { class: "input", "data-testid": `entry-${field.key}`, "aria-invalid": wrong !== "" };
  if (field.kind === "places") {
    return (
      <div class="add-user entry-wide">
        <AreaPicker areas={given} onChange={onChange} hint={t("settings.places")} />
        {fault}
      </div>
    );
  }
  if (field.kind === "ticks") {
    const toggle = (one: string): void => onChange(given.includes(one) ? given.filter((other) => other !== one) : [...given, one]);
    return (
      <fieldset class="entry-ticks entry-wide">
        <legend>{name}</legend>
        {field.options?.(around).map(([value, text]) => (
          <label key={value} class="check">
            <input type="checkbox" checked={given.includes(value)} data-testid={`entry-${field.key}-${value}`} onChange={() => toggle(value)} />
            {text}
          </label>
        ))}
        {fault}
      </fieldset>
    );
  }
  if (field.kind === "choice") {
    const options = field.options?.(around) ?? [];
    const chosen = given[0] ?? "";
    return (
      <label class="field">
        {name}
        <select {...common} value={chosen} onChange={(event) => onChange([event.currentTarget.value])}>
          <option value="">{field.example ? t("settings.usual", { value: new Map(options).get(field.example) ?? field.example }) : t("registry.none")}</option>
          {chosen && !options.some(([value]) => value === chosen) && <option value={chosen}>{chosen}</option>}
          {options.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        {fault}
      </label>
    );
  }
  return (
    <label class="field">
      {name}
      <input
        {...common}
        value={given.join(", ")}
        inputMode={field.kind === "number" ? "decimal" : "text"}
        placeholder={field.example}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => onChange(field.kind === "list" ? listed(event.currentTarget.value) : [event.currentTarget.value])}
      />
      {fault}
    </label>
  );
}
