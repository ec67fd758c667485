import { lapse } from "../clock";
import { t, word } from "../i18n";
import { inLanguage, placeName } from "../state";
import { Sheet, useLoaded } from "./loading";
import { admin } from "./requests";
import { EntryButtons, useSettings } from "./settings";

/** The referral desks with what waits for them; they are changed in `desks.toml`. */
export function Desks() {
  const loaded = useLoaded(admin.desks, [], 30_000);
  const work = useSettings("desks", loaded.reload);
  const inFile = work.known?.tables["desk"] ?? [];
  const waiting = inFile.filter((one) => loaded.data?.every((desk) => desk.id !== one["id"]));
  return (
    <Sheet
      title={t("desks.title")}
      hint={t("desks.hint")}
      count={loaded.data?.length}
      loaded={loaded}
      testid="desks"
      tools={
        <button type="button" class="btn primary" data-testid="add-desk" onClick={() => work.edit("desk")}>
          {t("desks.add")}
        </button>
      }
    >
      {work.shown}
      {waiting.length > 0 && loaded.data && <p class="dim">{t("desks.later", { desks: waiting.map((one) => String(one["id"])).join(", ") })}</p>}
      {loaded.data?.length === 0 && <p class="dim">{t("desks.none")}</p>}
      <table class="table compact">
        <thead>
          <tr>
            <th scope="col">{t("desks.desk")}</th>
            <th scope="col" class="right">
              {t("desks.waiting")}
            </th>
            <th scope="col" class="right">
              {t("desks.accepted")}
            </th>
            <th scope="col">{t("desks.users")}</th>
            <th scope="col">{t("desks.open")}</th>
            <th scope="col" class="right">
              {t("desks.receipt")}
            </th>
            <th scope="col" class="right">
              {t("desks.feedback")}
            </th>
            <th scope="col">{t("area.title")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {loaded.data?.map((desk) => (
            <tr key={desk.id} data-testid="desk-row" data-desk={desk.id}>
              <th scope="row">
                {inLanguage(desk.name)} <span class="dim">{word("desks.kind", desk.kind)}</span>
              </th>
              <td class="num right">{desk.waiting}</td>
              <td class="num right">{desk.accepted}</td>
              <td class="wrap">{desk.users.length > 0 ? desk.users.join(", ") : t("desks.telephone", { who: desk.responsible || "–" })}</td>
              <td class="wrap">{desk.opening_hours}</td>
              <td class="num right">{lapse(60_000 * desk.receipt_min)}</td>
              <td class="num right">{lapse(60_000 * desk.feedback_min)}</td>
              <td class="wrap">{desk.places.length > 0 ? desk.places.map(placeName).join(", ") : t("area.whole")}</td>
              <td class="right">
                {inFile.some((one) => one["id"] === desk.id) && (
                  <EntryButtons work={work} table="desk" number={inFile.findIndex((one) => one["id"] === desk.id) + 1} name={inLanguage(desk.name)} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Sheet>
  );
}
