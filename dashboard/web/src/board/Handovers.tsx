import { useState } from "preact/hooks";

import { api, newCommandId } from "../api";
import { timeOf } from "../clock";
import { t, word } from "../i18n";
import { inLanguage, placeName, say, session, teamName } from "../state";
import { loadBoard, offered } from "./facts";
import type { Sheet } from "./records";

/** The shift handover: what is handed over, signed by who goes and by who comes. */
export function Handovers() {
  const [draft, setDraft] = useState<Sheet | null>(null);
  const [words, setWords] = useState("");
  const sheet = offered.value;
  const content = sheet?.content ?? draft;
  const mine = sheet?.outgoing.id === session.value?.principal.id;
  const tried = async (doing: () => Promise<void>): Promise<void> => {
    try {
      await doing();
    } catch (reason) {
      say(reason instanceof Error ? reason.message : String(reason), "fault");
    }
  };
  const drawUp = (): Promise<void> => tried(async () => setDraft(await api.handoverDraft()));
  const act = (done: () => Promise<unknown>): Promise<void> =>
    tried(async () => {
      await done();
      setDraft(null);
      setWords("");
      await loadBoard();
    });
  return (
    <section class="board-part" aria-label={t("board.handover")} data-testid="handover">
      <h2>{t("board.handover")}</h2>
      {!sheet && !draft && (
        <div class="handover-actions">
          <button type="button" class="btn" data-testid="handover-draft" onClick={() => void drawUp()}>
            {t("board.handover.draft")}
          </button>
        </div>
      )}
      {sheet && <p class="handover-state">{t(mine ? "board.handover.waits.mine" : "board.handover.waits", { name: sheet.outgoing.name, time: timeOf(sheet.made_at) })}</p>}
      {content && <SheetView sheet={content} />}
      {(draft || (sheet && !mine)) && (
        <textarea
          class="input"
          rows={2}
          value={words}
          aria-label={t(draft ? "board.handover.notes" : "board.handover.remark")}
          placeholder={t(draft ? "board.handover.notes" : "board.handover.remark")}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      )}
      <div class="handover-actions">
        {draft && !sheet && (
          <>
            <button type="button" class="btn" onClick={() => setDraft(null)}>
              {t("act.cancel")}
            </button>
            <button type="button" class="btn primary" data-testid="handover-sign" onClick={() => void act(() => api.offerHandover(newCommandId(), words))}>
              {t("board.handover.sign")}
            </button>
          </>
        )}
        {sheet && !mine && (
          <button type="button" class="btn primary" data-testid="handover-confirm" onClick={() => void act(() => api.confirmHandover(sheet.id, sheet.sha256, words))}>
            {t("board.handover.confirm")}
          </button>
        )}
        {sheet && mine && (
          <button type="button" class="btn" onClick={() => void act(() => api.withdrawHandover(sheet.id))}>
            {t("board.handover.withdraw")}
          </button>
        )}
      </div>
    </section>
  );
}

function SheetView({ sheet }: { sheet: Sheet }) {
  const closed = Object.values(sheet.since.closed).reduce((sum, n) => sum + n, 0);
  return (
    <div class="sheet">
      <p class="dim">{t("board.sheet.since", { time: timeOf(sheet.since.from).slice(0, 5), opened: sheet.since.opened, closed })}</p>
      <ul>
        {sheet.incidents.map((one) => (
          <li key={one.number}>
            <span class="num">{t("panel.number", { n: one.number })}</span> {word("category", one.category)} · {placeName(one.grid_cell)} ·{" "}
            {word("work", one.work)}
            <span class="dim"> · {one.team ? teamName(one.team) : (one.owner ?? t("board.sheet.no_owner"))}</span>
          </li>
        ))}
        {sheet.shelved.map((one) => (
          <li key={`shelved-${one.number}`}>
            {t("board.sheet.shelved", { n: one.number, time: timeOf(one.until).slice(0, 5), by: one.by })}
          </li>
        ))}
        {sheet.rounds.map((one, index) => (
          <li key={`round-${index}`}>
            {inLanguage(one.name)} · {word("round.state", one.state)} · {t("board.rounds.missed", { n: one.missed })}
          </li>
        ))}
        <li>{t("board.sheet.rest", { cameras: sheet.cameras_offline.length, referrals: sheet.referrals.length })}</li>
      </ul>
    </div>
  );
}
