import "./signin.css";

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { api, ApiError } from "../api";
import { Icon } from "../controls/shapes";
import { t } from "../i18n";
import { askForNotifications } from "../notify";
import { lang, theme } from "../prefs";
import { playTest } from "../sound";
import { ended, enter } from "../state";

const SHORTEST_PASSWORD = 12;

export function Gate({ children }: { children: ComponentChildren }) {
  return (
    <main class="gate">
      <div class="gate-prefs">
        <button
          type="button"
          class="btn quiet small"
          lang={lang.value === "zh" ? "en" : "zh-CN"}
          aria-label={t("rail.language.label")}
          onClick={() => (lang.value = lang.value === "zh" ? "en" : "zh")}
        >
          {t("rail.language")}
        </button>
        <button
          type="button"
          class="btn quiet icon small"
          aria-label={t(theme.value === "dark" ? "rail.theme.light" : "rail.theme.dark")}
          onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}
        >
          <Icon name={theme.value === "dark" ? "sun" : "moon"} size={17} />
        </button>
      </div>
      <section class="gate-card">
        <header class="gate-brand">
          <img src="/icon.svg" width={40} height={40} alt="" />
          <div>
            <strong>Gridpatrol</strong>
            <span>{t("app.tagline")}</span>
          </div>
        </header>
        {children}
      </section>
    </main>
  );
}

function sentence(reason: unknown): string {
  if (!(reason instanceof ApiError)) return reason instanceof Error ? reason.message : String(reason);
  if (reason.offline) return t("signin.unreachable");
  return reason.status === 401 && !reason.message ? t("signin.failed") : reason.message;
}

export function SignIn() {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [failed, setFailed] = useState("");
  const [working, setWorking] = useState(false);
  const [first, setFirst] = useState(false);
  useEffect(() => {
    api.setupNeeded().then(
      ({ needed }) => setFirst(needed),
      () => undefined, // Signing in will say what is wrong.
    );
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setWorking(true);
    setFailed("");
    askForNotifications();
    try {
      await enter(await api.signIn(name, password));
    } catch (reason) {
      setFailed(reason instanceof ApiError && reason.status === 401 ? t("signin.failed") : sentence(reason));
      setWorking(false);
    }
  };
  return (
    <Gate>
      <form onSubmit={(event) => void submit(event)} data-testid="signin-form">
        <h1 class="sr-only">{t("signin.title")}</h1>
        {first && <p class="gate-text" role="status">{t("signin.first")}</p>}
        {ended.value && <p class="gate-text" role="status">{t("signin.ended")}</p>}
        <Field label={t("signin.name")} value={name} onInput={setName} autocomplete="username" testid="signin-name" focus />
        <Field
          label={t("signin.password")}
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
          testid="signin-password"
          secret
        />
        <p class="gate-failed" role="alert">
          {failed}
        </p>
        <button class="btn primary big" disabled={working || !name || !password} data-testid="signin-submit">
          {t(working ? "signin.working" : "signin.submit")}
        </button>
      </form>
      <footer class="gate-sound">
        <button type="button" class="btn" onClick={playTest} data-testid="sound-test">
          <Icon name="tone" size={17} />
          {t("signin.sound")}
        </button>
        <span>{t("signin.sound.hint")}</span>
      </footer>
    </Gate>
  );
}

/** First start: the link with the one-time secret creates the administrator. */
export function Setup() {
  const secret = new URLSearchParams(location.hash.slice(1)).get("setup") ?? "";
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [failed, setFailed] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (password !== again) return setFailed(t("setup.differ"));
    try {
      const signedIn = await api.setup(secret, name, password);
      history.replaceState(null, "", "/");
      askForNotifications();
      await enter(signedIn);
    } catch (reason) {
      setFailed(sentence(reason));
    }
  };
  const ready = name && password.length >= SHORTEST_PASSWORD && again;
  return (
    <Gate>
      <form onSubmit={(event) => void submit(event)} data-testid="setup-form">
        <h1>{t("setup.title")}</h1>
        <p class="gate-text">{t("setup.text")}</p>
        <Field label={t("signin.name")} value={name} onInput={setName} autocomplete="username" testid="setup-name" focus />
        <Field
          label={`${t("signin.password")} · ${t("setup.password.hint")}`}
          value={password}
          onInput={setPassword}
          autocomplete="new-password"
          testid="setup-password"
          secret
        />
        <Field
          label={t("setup.again")}
          value={again}
          onInput={setAgain}
          autocomplete="new-password"
          testid="setup-again"
          secret
        />
        <p class="gate-failed" role="alert">
          {failed}
        </p>
        <button class="btn primary big" disabled={!ready} data-testid="setup-submit">
          {t("setup.submit")}
        </button>
      </form>
    </Gate>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  autocomplete: string;
  testid: string;
  secret?: boolean;
  focus?: boolean;
}

export function Field({ label, value, onInput, autocomplete, testid, secret = false, focus = false }: FieldProps) {
  const input = useRef<HTMLInputElement>(null);
  // The attribute `autofocus` works once per document; this page comes back after signing out.
  useEffect(() => {
    if (focus) input.current?.focus();
  }, []);
  return (
    <label class="field">
      {label}
      <input
        ref={input}
        class="input"
        type={secret ? "password" : "text"}
        value={value}
        autocomplete={autocomplete}
        spellcheck={false}
        data-testid={testid}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}
