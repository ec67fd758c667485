import { t } from "../i18n";
import { Head, Place } from "./Assignment";
import { pressSupport } from "./commands";
import { outbox } from "./facts";
import { expectedSupport } from "./outbox";
import type { OwnSupport } from "./records";

/** The incident that this team supports: another team leads there, this one says when it has come and when it leaves. */
export function Support({ support }: { support: OwnSupport }) {
  const state = expectedSupport(support, outbox.value);
  if (state === "done") return null;
  return (
    <article class={`assignment level-${support.about.severity}`} data-testid="phone-support" data-state={state}>
      <Head incident={support.about} isNew={false} note={t("phone.support")} />
      <p class="assignment-done">{t("phone.support.leads")}</p>
      <Place incident={support.about} />
      <div class="assignment-steps">
        {state === "en_route" && (
          <button type="button" class="btn primary phone-big" data-testid="support-arrive" onClick={() => pressSupport(support, "on_scene")}>
            {t("phone.arrive")}
          </button>
        )}
        <button
          type="button"
          class={`btn phone-big${state === "on_scene" ? " primary" : ""}`}
          data-testid="support-done"
          onClick={() => pressSupport(support, "done")}
        >
          {t("phone.done")}
        </button>
      </div>
    </article>
  );
}
