import { useEffect, useRef, useState } from "preact/hooks";

import { api } from "../api";
import { LevelShape } from "../controls/shapes";
import { t, word } from "../i18n";
import { CATEGORIES, type Category, type Level } from "../records";
import { learnIncident, placeById, placeName, say, select } from "../state";
import { call, type Call } from "./call";

const LEVELS: readonly Level[] = [1, 2, 3, 4];

/** The hotline form: what, how urgent, where; the caller only if they want to be called back. */
export function CallForm({ open }: { open: Call }) {
  const [category, setCategory] = useState<Category>("public_order");
  const [severity, setSeverity] = useState<Level>(3);
  const [text, setText] = useState("");
  const [caller, setCaller] = useState("");
  const [cell, setCell] = useState("");
  const [sending, setSending] = useState(false);
  const first = useRef<HTMLTextAreaElement>(null);
  useEffect(() => first.current?.focus(), []);
  const ready = text.trim() !== "" && (open.place !== null || cell !== "");
  const send = async (): Promise<void> => {
    setSending(true);
    try {
      const where = open.place ?? { grid_cell: cell };
      const made = await api.reportMatter({
        command_id: open.command,
        origin: "hotline",
        category,
        severity,
        text: text.trim(),
        ...(caller.trim() ? { caller: caller.trim() } : {}),
        ...where,
      });
      learnIncident(made);
      select(made.id);
      call.value = null;
    } catch (reason) {
      say(reason instanceof Error ? reason.message : String(reason), "fault");
      setSending(false);
    }
  };
  return (
    <aside id="panel" class="panel call" tabIndex={-1} aria-label={t("call.title")} data-testid="call-form">
      <header class="panel-head">
        <h2>{t("call.title")}</h2>
      </header>
      <form
        class="panel-scroll call-fields"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !sending) void send();
        }}
      >
        <label>
          {t("call.text")}
          <textarea ref={first} class="input" rows={4} maxLength={4000} value={text} data-testid="call-text" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label>
          {t("call.category")}
          <select class="input" value={category} data-testid="call-category" onChange={(event) => setCategory(event.currentTarget.value as Category)}>
            {CATEGORIES.map((one) => (
              <option key={one} value={one}>
                {word("category", one)}
              </option>
            ))}
          </select>
        </label>
        <Levels chosen={severity} onChoose={setSeverity} />
        <Place open={open} cell={cell} onCell={setCell} />
        <label>
          {t("call.caller")}
          <input class="input" maxLength={100} autocomplete="off" value={caller} data-testid="call-caller" onInput={(event) => setCaller(event.currentTarget.value)} />
          <span class="dim">{t("call.caller.hint")}</span>
        </label>
        <div class="call-actions">
          <button type="submit" class="btn primary" disabled={!ready || sending} data-testid="call-send">
            {t("call.send")}
          </button>
          <button type="button" class="btn quiet" onClick={() => (call.value = null)}>
            <kbd class="key">Esc</kbd>
            {t("act.cancel")}
          </button>
        </div>
      </form>
    </aside>
  );
}

function Levels({ chosen, onChoose }: { chosen: Level; onChoose: (level: Level) => void }) {
  return (
    <fieldset class="call-levels">
      <legend>{t("call.severity")}</legend>
      {LEVELS.map((level) => (
        <label key={level} class={level === chosen ? "chosen" : ""}>
          <input type="radio" name="severity" class="sr-only" checked={level === chosen} onChange={() => onChoose(level)} />
          <LevelShape level={level} size={26} />
          <span class="sr-only">{word("level", String(level))}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Where the person pointed on the map, or else a grid cell. */
function Place({ open, cell, onCell }: { open: Call; cell: string; onCell: (cell: string) => void }) {
  return (
    <div class="call-place">
      {t("call.place")}
      {open.place ? (
        <p data-testid="call-place">
          <span class="num">
            {open.place.lon.toFixed(5)}, {open.place.lat.toFixed(5)}
          </span>
          <button type="button" class="btn small" onClick={() => (call.value = { ...open, place: null })}>
            {t("call.place.other")}
          </button>
        </p>
      ) : (
        <>
          <p class="dim">{t("call.place.hint")}</p>
          <Cells chosen={cell} onChoose={onCell} />
        </>
      )}
    </div>
  );
}

function Cells({ chosen, onChoose }: { chosen: string; onChoose: (cell: string) => void }) {
  const cells = [...placeById.value.values()].filter((one) => one.kind === "grid_cell").map((one) => one.id);
  return (
    <select class="input" value={chosen} aria-label={t("call.place.cell")} data-testid="call-cell" onChange={(event) => onChoose(event.currentTarget.value)}>
      <option value="">{t("call.place.cell")}</option>
      {cells.map((one) => (
        <option key={one} value={one}>
          {placeName(one)}
        </option>
      ))}
    </select>
  );
}
