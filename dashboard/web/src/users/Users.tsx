import "./users.css";

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { t, word } from "../i18n";
import type { User } from "../records";
import { Field } from "../signin/SignIn";
import { say } from "../state";

const ROLES: readonly User["role"][] = ["operator", "dispatcher", "administrator"];
const SHORTEST_PASSWORD = 12;

/** Who may sign in, and with which rights; for administrators. */
export function Users() {
  const [users, setUsers] = useState<readonly User[]>([]);
  const load = (): void => {
    api
      .users()
      .then(setUsers)
      .catch((reason: unknown) => say(reason instanceof Error ? reason.message : String(reason), "fault"));
  };
  useEffect(load, []);
  return (
    <main class="page" aria-label={t("users.title")} data-testid="users">
      <section class="page-list">
        <header class="page-head">
          <h1>{t("users.title")}</h1>
          <span class="page-count num">{users.length}</span>
        </header>
        <div class="table-scroll">
          <table class="table">
            <thead>
              <tr>
                <th>{t("users.name")}</th>
                <th>{t("users.role")}</th>
              </tr>
            </thead>
            <tbody>
              {users.map((user) => (
                <tr key={user.id} data-testid="user-row">
                  <td>
                    <strong>{user.name}</strong>
                  </td>
                  <td>{word("role", user.role)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <AddUser onAdded={load} />
    </main>
  );
}

function AddUser({ onAdded }: { onAdded: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<User["role"]>("operator");
  const [failed, setFailed] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setFailed("");
    try {
      await api.addUser(name, password, role);
      say(t("users.added", { name }));
      setName("");
      setPassword("");
      onAdded();
    } catch (reason) {
      setFailed(reason instanceof Error ? reason.message : String(reason));
    }
  };
  return (
    <aside class="page-side">
      <form class="add-user" onSubmit={(event) => void submit(event)}>
        <h2>{t("users.add")}</h2>
        <Field label={t("users.name")} value={name} onInput={setName} autocomplete="off" testid="user-name" />
        <Field
          label={`${t("users.password")} · ${t("setup.password.hint")}`}
          value={password}
          onInput={setPassword}
          autocomplete="new-password"
          testid="user-password"
          secret
        />
        <fieldset>
          <legend>{t("users.role")}</legend>
          {ROLES.map((one) => (
            <label key={one} class={role === one ? "chosen" : ""}>
              <input type="radio" name="role" value={one} checked={role === one} onChange={() => setRole(one)} />
              <strong>{word("role", one)}</strong>
              <span>{word("role", `${one}.hint`)}</span>
            </label>
          ))}
        </fieldset>
        <p class="gate-failed" role="alert">
          {failed}
        </p>
        <button class="btn primary big" disabled={!name || password.length < SHORTEST_PASSWORD} data-testid="user-add">
          {t("users.add")}
        </button>
      </form>
    </aside>
  );
}
