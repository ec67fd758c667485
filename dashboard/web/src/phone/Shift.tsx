import { now, written } from "../clock";
import { Icon } from "../controls/shapes";
import { t } from "../i18n";
import { lang } from "../prefs";
import { calls, outbox, placeName, shift } from "./facts";
import { sharePosition, sharing } from "./place";
import type { OwnShift } from "./records";
import { disconnect } from "./team";

/** `03-01 08:00`, of the present day only the time. */
function moment(iso: string): string {
  const { date, time } = written(Date.parse(iso));
  return date === written(now.value).date ? time.slice(0, 5) : `${date.slice(5)} ${time.slice(0, 5)}`;
}

function left(until: string): { h: number; m: number } {
  const minutes = Math.max(0, Math.floor((Date.parse(until) - now.value) / 60_000));
  return { h: Math.floor(minutes / 60), m: minutes % 60 };
}

/** Until when this team works, when again, whether it should rest; and what this phone tells of itself. */
export function Shift() {
  const waits = outbox.value.length + calls.value.length > 0; // nobody else could send it
  return (
    <>
      {shift.value ? <Facts own={shift.value} /> : <p class="assignment-done">{t("phone.shift.unknown")}</p>}
      <section class="phone-foot">
        {sharing.value === "on" ? (
          <span>{t("phone.position.on")}</span>
        ) : (
          <button type="button" class="btn phone-second" data-testid="phone-share" onClick={sharePosition}>
            <Icon name="pin" size={20} />
            {t(sharing.value === "denied" ? "phone.position.off" : "phone.position.ask")}
          </button>
        )}
        <button type="button" class="btn quiet phone-second" data-testid="phone-signout" disabled={waits} onClick={() => void disconnect()}>
          <Icon name="leave" size={20} />
          {t("phone.signout")}
        </button>
      </section>
    </>
  );
}

function Facts({ own }: { own: OwnShift }) {
  return (
    <section class="phone-card" data-testid="phone-shift" data-on={own.on_shift}>
      <header class="round-title">
        <div>
          <h1>{t(own.on_shift ? "phone.shift.on" : "phone.shift.off")}</h1>
          {own.since && (
            <p class="num">
              {own.until
                ? t("phone.shift.span", { from: moment(own.since), until: moment(own.until) })
                : t("phone.shift.endless")}
            </p>
          )}
        </div>
        {own.until && <span class="num">{t("phone.shift.left", left(own.until))}</span>}
      </header>
      {own.rest && <p class="phone-said odd">{own.rest[lang.value]}</p>}
      <dl class="shift-facts">
        {own.until !== null || !own.on_shift ? (
          <>
            <dt>{t("phone.shift.next")}</dt>
            <dd class="num" data-testid="phone-shift-next">
              {own.next ? t("phone.shift.span", { from: moment(own.next.begin_at), until: moment(own.next.end_at) }) : t("phone.shift.next.none")}
            </dd>
          </>
        ) : null}
        <dt>{t("phone.shift.cells")}</dt>
        <dd>{own.grid_cells.map(placeName).join(lang.value === "zh" ? "、" : ", ")}</dd>
        <dt>{t("phone.shift.load")}</dt>
        <dd class="num">{t("phone.shift.times", { n: own.load })}</dd>
      </dl>
    </section>
  );
}
