import { useEffect, useState } from "preact/hooks";

import { t, word } from "../i18n";
import { Field } from "../signin/SignIn";
import { say } from "../state";
import { facts, fail, loadRegistry, sentence } from "./facts";
import type { Login } from "./records";
import { registry } from "./requests";

/** The logins of cameras by name. A password goes in and never comes out. */
export function Logins() {
  const [changing, setChanging] = useState<Login | null>(null);
  useEffect(() => void loadRegistry(), []);
  const remove = (login: Login): void => {
    registry.removeLogin(login.name).then(loadRegistry, fail);
  };
  return (
    <section class="logins" aria-label={t("cameras.mode.logins")} data-testid="logins">
      <table class="table">
        <thead>
          <tr>
            <th>{t("logins.name")}</th>
            <th>{t("logins.user")}</th>
            <th>{t("logins.source")}</th>
            <th class="right">{t("logins.cameras")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {(facts.value?.credentials ?? []).map((one) => (
            <tr key={one.name} data-testid="login">
              <td>
                <strong>{one.name}</strong>
              </td>
              <td>{one.user}</td>
              <td class="dim">{word("logins.source", one.source)}</td>
              <td class="num right">{one.cameras}</td>
              <td class="right">
                <button type="button" class="btn quiet small" onClick={() => setChanging(one)}>
                  {t("logins.change")}
                </button>
                {one.source === "registry" && one.cameras === 0 && (
                  <button type="button" class="btn quiet small" onClick={() => remove(one)}>
                    {t("logins.remove")}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <LoginForm key={changing?.name ?? ""} login={changing} onDone={() => setChanging(null)} />
    </section>
  );
}

function LoginForm({ login, onDone }: { login: Login | null; onDone: () => void }) {
  const [name, setName] = useState(login?.name ?? "");
  const [user, setUser] = useState(login?.user ?? "");
  const [password, setPassword] = useState("");
  const [failed, setFailed] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await registry.setLogin(name, user, password);
      say(t("logins.saved", { name }));
      setPassword("");
      await loadRegistry();
      onDone();
    } catch (reason) {
      setFailed(sentence(reason));
    }
  };
  return (
    <form class="login-form" onSubmit={(event) => void submit(event)} data-testid="login-form">
      <h2>{login ? t("logins.change.title", { name: login.name }) : t("logins.add")}</h2>
      {!login && <Field label={t("logins.name")} value={name} onInput={setName} autocomplete="off" testid="login-name" />}
      <Field label={t("logins.user")} value={user} onInput={setUser} autocomplete="off" testid="login-user" />
      <Field label={t("logins.password")} value={password} onInput={setPassword} autocomplete="new-password" testid="login-password" secret />
      <p class="dim">{t("logins.hint")}</p>
      <p class="fault-text" role="alert">
        {failed}
      </p>
      <button class="btn primary" disabled={!name || !password} data-testid="login-save">
        {t("editor.save")}
      </button>
      {login && (
        <button type="button" class="btn quiet" onClick={onDone}>
          {t("act.cancel")}
        </button>
      )}
    </form>
  );
}
