import { lapse } from "../clock";
import { t, word } from "../i18n";
import { inLanguage, placeName } from "../state";
import { Sheet, useLoaded } from "./loading";
import { admin } from "./requests";

/** The referral desks with what waits for them; they stand in `desks.toml`. */
export function Desks() {
  const loaded = useLoaded(admin.desks, [], 30_000);
  return (
    <Sheet title={t("desks.title")} hint={t("desks.hint")} count={loaded.data?.length} loaded={loaded} testid="desks">
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
            </tr>
          ))}
        </tbody>
      </table>
    </Sheet>
  );
}
