import "./phone.css";

import { useEffect, useState } from "preact/hooks";

import { ApiError } from "../api";
import { Icon } from "../controls/shapes";
import { t } from "../i18n";
import { lang, theme } from "../prefs";
import { Field } from "../signin/SignIn";
import "../signin/signin.css";
import { unlockSound } from "../sound";
import { link } from "../updates";
import { Assignment } from "./Assignment";
import { assignments, begin, disconnect, outbox, phase, reachable, refusal, session, sharePosition, sharing, signInWith } from "./team";

/** The page in a team's hand: what to do now, as few and as large buttons as possible. */
export function Phone() {
  useEffect(() => {
    void begin();
    document.title = t("phone.title");
    document.addEventListener("pointerdown", unlockSound);
    // A new link from the control room, opened in a tab that shows this page already, does not load it anew.
    const onHash = (): void => void (phase.peek() === "code" && begin());
    addEventListener("hashchange", onHash);
    return () => {
      document.removeEventListener("pointerdown", unlockSound);
      removeEventListener("hashchange", onHash);
    };
  }, []);
  if (phase.value === "starting") return <div class="phone" aria-busy="true" />;
  return (
    <div class="phone" data-testid="phone">
      <Bar />
      {phase.value === "code" ? <Code /> : <Work />}
    </div>
  );
}

function Bar() {
  const online = link.value !== "lost" && reachable.value;
  const ready = phase.value === "ready";
  const who = session.value?.principal;
  return (
    <header class="phone-bar">
      <img src="/icon.svg" width={28} height={28} alt="" />
      <div class="phone-who">
        <strong class="clip">{(lang.value === "zh" ? who?.name : who?.name_en) ?? "Gridpatrol"}</strong>
        {ready && (
          <span class={online ? "" : "lost"} role="status" data-testid="phone-link" data-state={online ? "online" : "offline"}>
            {t(online ? "phone.online" : "phone.offline")}
          </span>
        )}
      </div>
      <button
        type="button"
        class="btn quiet icon"
        aria-label={t(theme.value === "dark" ? "rail.theme.light" : "rail.theme.dark")}
        onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}
      >
        <Icon name={theme.value === "dark" ? "sun" : "moon"} size={20} />
      </button>
      <button
        type="button"
        class="btn quiet icon"
        aria-label={t("rail.language.label")}
        onClick={() => (lang.value = lang.value === "zh" ? "en" : "zh")}
      >
        {lang.value === "zh" ? "EN" : "中"}
      </button>
    </header>
  );
}

function Code() {
  const [code, setCode] = useState("");
  const [failed, setFailed] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await signInWith(code);
    } catch (reason) {
      const offline = reason instanceof ApiError && reason.offline;
      setFailed(offline ? t("signin.unreachable") : reason instanceof Error ? reason.message : String(reason));
    }
  };
  return (
    <main class="phone-main">
      <form class="phone-code" onSubmit={(event) => void submit(event)}>
        <h1>{t("phone.code.title")}</h1>
        <p>{t("phone.code.text")}</p>
        <Field label={t("phone.code.label")} value={code} onInput={setCode} autocomplete="one-time-code" testid="phone-code-input" />
        <p class="gate-failed" role="alert">
          {failed}
        </p>
        <button class="btn primary phone-big" disabled={!code.trim()}>
          {t("phone.code.submit")}
        </button>
      </form>
    </main>
  );
}

function Work() {
  const items = assignments.value;
  return (
    <main class="phone-main">
      {(link.value === "lost" || !reachable.value) && (
        <p class="phone-offline" role="alert">
          <strong>{t("phone.offline")}</strong> {t("phone.offline.hint")}
        </p>
      )}
      {outbox.value.length > 0 && (
        <p class="phone-queued" role="status" data-testid="phone-queued" data-count={outbox.value.length}>
          <Icon name="phone" size={18} />
          {t("phone.queued", { n: outbox.value.length })}
        </p>
      )}
      {refusal.value && (
        <p class="phone-refused" role="alert">
          {refusal.value}
        </p>
      )}
      {items.map((incident) => (
        <Assignment key={incident.id} incident={incident} />
      ))}
      {items.length === 0 && (
        <div class="empty phone-none" data-testid="phone-none">
          <strong>{t("phone.none")}</strong>
          {t("phone.none.hint")}
        </div>
      )}
      <footer class="phone-foot">
        {sharing.value === "on" ? (
          <span>{t("phone.position.on")}</span>
        ) : (
          <button type="button" class="btn" data-testid="phone-share" onClick={sharePosition}>
            <Icon name="pin" size={18} />
            {t(sharing.value === "denied" ? "phone.position.off" : "phone.position.ask")}
          </button>
        )}
        <button type="button" class="btn quiet" onClick={() => void disconnect()}>
          {t("phone.signout")}
        </button>
      </footer>
    </main>
  );
}
