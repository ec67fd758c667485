import { useState } from "preact/hooks";

import { lapse, now, written } from "../clock";
import { t, word } from "../i18n";
import { lang } from "../prefs";
import { placeName } from "../state";
import { act, Sheet, useLoaded } from "./loading";
import { admin, type SignedIn } from "./requests";

/** Who is signed in, and signing somebody out: asked twice, for it closes their pages. */
export function Sessions() {
  const loaded = useLoaded(admin.sessions, [], 15_000);
  const [asked, setAsked] = useState("");
  const end = (one: SignedIn): void => {
    setAsked("");
    void act(async () => {
      await admin.endSession(one.id);
      return t("sessions.ended", { name: nameOf(one) });
    }, loaded.reload);
  };
  return (
    <Sheet title={t("sessions.title")} hint={t("sessions.hint")} count={loaded.data?.length} loaded={loaded} testid="sessions">
      <table class="table compact">
        <thead>
          <tr>
            <th scope="col">{t("users.name")}</th>
            <th scope="col">{t("users.role")}</th>
            <th scope="col">{t("area.title")}</th>
            <th scope="col">{t("sessions.since")}</th>
            <th scope="col">{t("sessions.idle")}</th>
            <th scope="col">{t("sessions.until")}</th>
            <th scope="col" />
          </tr>
        </thead>
        <tbody>
          {loaded.data?.map((one) => (
            <tr key={one.id} data-testid="session-row" data-name={one.name}>
              <th scope="row">{nameOf(one)}</th>
              <td>{one.kind === "team" ? t("sessions.phone") : word("role", one.role)}</td>
              <td>{one.areas.length > 0 ? one.areas.map(placeName).join(", ") : t("area.whole")}</td>
              <td class="num">{lapse(now.value - Date.parse(one.since))}</td>
              <td class="num">{one.idle_s === null ? t("sessions.unknown") : lapse(1000 * one.idle_s)}</td>
              <td class="num">{written(Date.parse(one.expires_at)).time.slice(0, 5)}</td>
              <td class="right">
                {one.own ? (
                  <span class="dim">{t("sessions.own")}</span>
                ) : asked === one.id ? (
                  <span class="ask">
                    <button type="button" class="btn small primary" data-testid="session-sure" onClick={() => end(one)}>
                      {t("sessions.sure")}
                    </button>
                    <button type="button" class="btn small" onClick={() => setAsked("")}>
                      {t("act.cancel")}
                    </button>
                  </span>
                ) : (
                  <button
                    type="button"
                    class="btn small"
                    aria-label={t("sessions.end.of", { name: nameOf(one) })}
                    data-testid="session-end"
                    onClick={() => setAsked(one.id)}
                  >
                    {t("sessions.end")}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Sheet>
  );
}

function nameOf(one: SignedIn): string {
  return lang.value === "zh" ? one.name : one.name_en;
}
