/** Changing a settings file of the site: one table in a form at a time, sent whole, and taken back as a whole. */

import { useEffect, useState } from "preact/hooks";

import { newCommandId } from "../api";
import { t } from "../i18n";
import { facts, fail, isConflict, loadRegistry, sentence } from "../registry/facts";
import { reloadSite, say } from "../state";
import { EntryForm } from "./EntryForm";
import { FIELDS, label, summary, TARGET_TABLES, type Around, type FormName, type TableName } from "./fields";
import { admin, type Settings, type SettingsName } from "./requests";
import { follow, isTop, keysOf, undoOf, withValues, without, type Content, type Edited, type Undo } from "./tables";

export interface SettingsWork {
  known: Settings | null;
  around: Around;
  edit: (form: FormName, number?: number | null) => void;
  remove: (table: TableName, number: number) => void;
  /** The open form, and what was done last with the way back. */
  shown: preact.JSX.Element;
}

interface Saved {
  version: number;
  /** Part of it is in force only after a restart. */
  waits: boolean;
  undo: Undo | null;
}

/** One settings file as it stands in the folder; `then` reads again what is in force. */
export function useSettings(which: SettingsName, then: () => void): SettingsWork {
  const [known, setKnown] = useState<Settings | null>(null);
  const [edited, setEdited] = useState<Edited | null>(null);
  const [saved, setSaved] = useState<Saved | null>(null);
  const read = async (): Promise<Settings> => {
    const now = await admin.settings(which);
    setKnown(now);
    return now;
  };
  useEffect(() => {
    void loadRegistry();
    read().catch(fail);
  }, []);
  const around = {
    targets: TARGET_TABLES.flatMap((table) => (known?.tables[table] ?? []).map((one) => String(one["id"]))),
    logins: (facts.value?.credentials ?? []).map((one) => one.name),
  };
  const save = async ({ top, tables }: Content, undone: Undo | null = null): Promise<void> => {
    if (!known) return;
    const isUndo = undone !== null;
    const changed = await admin.saveSettings(which, { digest: (undone ?? known).digest, top, tables });
    const waits = changed.after_restart.map((one) => one.why).join(" ");
    if (waits || changed.version === null || isUndo) say(waits || (isUndo ? t("settings.undone") : t("registry.same")));
    const [now] = await Promise.all([read(), reloadSite()]);
    setSaved(changed.version === null || isUndo ? null : { version: changed.version, waits: waits !== "", undo: undoOf(changed.version, now, known) });
    setEdited(null);
    then();
  };
  const failed = (reason: unknown): void => {
    const isLate = isConflict(reason);
    if (isLate) setSaved(null);
    say([sentence(reason), isLate && saved?.undo ? t("settings.undo.late") : ""].join(" ").trim(), "fault");
    read().catch(fail);
  };
  /** Somebody was faster: the open form goes on with the file as it is now, on the same table; it is closed if that is gone. */
  const followed = async (open: Edited, before: Settings): Promise<void> => {
    setSaved(null);
    const now = await read();
    const found = follow(before, now, open);
    setEdited(found);
    if (!found) say(t("settings.gone"), "fault");
  };
  return {
    known,
    around,
    edit: (form, number = null) => setEdited({ form, number, opened: newCommandId() }),
    remove: (table, number) => known && void save(without(known, table, number)).catch(failed),
    shown: (
      <>
        {saved && (
          <p class="settings-saved" role="status" data-testid="settings-saved">
            {t(saved.waits ? "settings.saved.waits" : "settings.saved", { n: saved.version })}{" "}
            {saved.undo && <UndoButton undo={saved.undo} onUndo={(undo) => void save(undo.before, undo).catch(failed)} />}
          </p>
        )}
        {edited && known && (
          <EntryForm
            key={edited.opened}
            form={edited.form}
            number={edited.number ?? (isTop(edited.form) ? 0 : (known.tables[edited.form]?.length ?? 0) + 1)}
            isNew={!isTop(edited.form) && edited.number === null}
            values={isTop(edited.form) ? known.top : (known.tables[edited.form]?.[(edited.number ?? 0) - 1] ?? {})}
            around={around}
            onSave={(values) => save(withValues(known, edited, values))}
            onConflict={() => followed(edited, known)}
            onClose={() => setEdited(null)}
          />
        )}
      </>
    ),
  };
}

function UndoButton({ undo, onUndo }: { undo: Undo; onUndo: (undo: Undo) => void }) {
  return (
    <button type="button" class="btn small" data-testid="settings-undo" onClick={() => onUndo(undo)}>
      {t("settings.undo")}
    </button>
  );
}

interface EntryButtonsProps {
  work: SettingsWork;
  table: TableName;
  /** Of the table in its file, from 1. */
  number: number;
  name: string;
}

/** Change one table, or delete it when asked twice. */
export function EntryButtons({ work, table, number, name }: EntryButtonsProps) {
  const [isAsking, setAsking] = useState(false);
  const remove = (): void => {
    setAsking(false);
    work.remove(table, number);
  };
  return (
    <span class="ask">
      {isAsking ? (
        <>
          <button type="button" class="btn small" data-testid="entry-sure" onClick={remove}>
            {t("settings.sure")}
          </button>
          <button type="button" class="btn quiet small" onClick={() => setAsking(false)}>
            {t("act.cancel")}
          </button>
        </>
      ) : (
        <>
          <button type="button" class="btn small" data-testid="entry-edit" aria-label={t("settings.edit.of", { name })} onClick={() => work.edit(table, number)}>
            {t("settings.edit")}
          </button>
          <button type="button" class="btn quiet small" data-testid="entry-delete" aria-label={t("settings.delete.of", { name })} onClick={() => setAsking(true)}>
            {t("settings.delete")}
          </button>
        </>
      )}
    </span>
  );
}

interface EntryListProps {
  work: SettingsWork;
  table: TableName;
  title: string;
  none: string;
}

/** The tables of one name, each in a line. */
export function EntryList({ work, table, title, none }: EntryListProps) {
  const entries = work.known?.tables[table] ?? [];
  const keys = keysOf(entries);
  return (
    <section class="admin-part" aria-label={title} data-testid={`settings-${table}`}>
      <header class="report-head">
        <h2>{title}</h2>
        <button type="button" class="btn small" data-testid={`add-${table}`} onClick={() => work.edit(table)}>
          {t("settings.add")}
        </button>
      </header>
      {entries.length === 0 && <p class="dim">{none}</p>}
      <ul class="messages">
        {entries.map((values, index) => {
          const name = "id" in values ? String(values["id"]) : `${index + 1}`;
          return (
            <li key={keys[index]} data-testid="entry">
              <strong class="num">{name}</strong>
              <span class="entry-summary">{summary(table, values, work.around)}</span>
              <EntryButtons work={work} table={table} number={index + 1} name={`${title} ${name}`} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** What stands above all tables of a file. */
export function TopValues({ work, form, title }: { work: SettingsWork; form: "limits" | "notifications"; title: string }) {
  const values = work.known?.top ?? {};
  return (
    <section class="admin-part" aria-label={title} data-testid={`settings-${form}`}>
      <header class="report-head">
        <h2>{title}</h2>
        <button type="button" class="btn small" data-testid={`edit-${form}`} aria-label={t("settings.edit.of", { name: title })} onClick={() => work.edit(form)}>
          {t("settings.edit")}
        </button>
      </header>
      <dl class="facts settings-facts">
        {FIELDS[form].map(({ key, example }) => (
          <div key={key}>
            <dt>{label(form, key)}</dt>
            <dd>{values[key] === undefined ? <span class="dim">{t("settings.usual", { value: form === "limits" && key === "handover_at" ? "–" : usual(key, example) })}</span> : String(values[key])}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const NO_DEFAULT = ["page", "working_hours", "handover_at"];

function usual(key: string, example: string | undefined): string {
  return NO_DEFAULT.includes(key) ? "–" : (example ?? "–");
}
