import "./users.css";

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { t, word } from "../i18n";
import type { User } from "../records";
import { Field } from "../signin/SignIn";
import { placeName, say, session } from "../state";
import { AreaPicker } from "./AreaPicker";

const ROLES: readonly User["role"][] = ["operator", "dispatcher", "administrator"];
const SHORTEST_PASSWORD = 12;

/** Who may sign in, and with which rights; for administrators. */
export function Users() {
  const [users, setUsers] = useState<readonly User[]>([]);
  const [changing, setChanging] = useState<User | null>(null);
  const load = (): void => {
    api
      .users()
      .then(setUsers)
      .catch((reason: unknown) => say(reason instanceof Error ? reason.message : String(reason), "fault"));
  };
  useEffect(load, []);
  return (
    <section class="page users-page" aria-label={t("users.title")} data-testid="users">
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
                <th>{t("area.title")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {users.map((user) => (
                <tr key={user.id} data-testid="user-row">
                  <td>
                    <strong>{user.name}</strong>
                  </td>
                  <td>{word("role", user.role)}</td>
                  <td data-testid="user-areas">{user.areas.length > 0 ? user.areas.map(placeName).join(", ") : t("area.whole")}</td>
                  <td>
                    {user.id !== session.value?.principal.id && (
                      <button type="button" class="btn quiet" onClick={() => setChanging(user)} data-testid="user-change">
                        {t("users.edit")}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {changing ? (
        <ChangeUser
          key={changing.id}
          user={changing}
          onDone={() => {
            setChanging(null);
            load();
          }}
        />
      ) : (
        <AddUser onAdded={load} />
      )}
    </section>
  );
}

function AddUser({ onAdded }: { onAdded: () => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<User["role"]>("operator");
  const [areas, setAreas] = useState<readonly string[]>([]);
  const [failed, setFailed] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setFailed("");
    try {
      await api.addUser(name, password, role, role === "administrator" ? [] : areas);
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
        <Rights role={role} onRole={setRole} areas={areas} onAreas={setAreas} />
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

/** Another role and other areas for somebody, who is signed out by it. */
function ChangeUser({ user, onDone }: { user: User; onDone: () => void }) {
  const [role, setRole] = useState(user.role);
  const [areas, setAreas] = useState<readonly string[]>(user.areas);
  const [failed, setFailed] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await api.changeUser(user.id, role, role === "administrator" ? [] : areas);
      say(t("users.changed", { name: user.name }));
      onDone();
    } catch (reason) {
      setFailed(reason instanceof Error ? reason.message : String(reason));
    }
  };
  return (
    <aside class="page-side">
      <form class="add-user" onSubmit={(event) => void submit(event)} data-testid="change-user">
        <h2>{t("users.change", { name: user.name })}</h2>
        <Rights role={role} onRole={setRole} areas={areas} onAreas={setAreas} />
        <p class="gate-failed" role="alert">
          {failed}
        </p>
        <button class="btn primary big" data-testid="user-save">
          {t("users.save")}
        </button>
        <button type="button" class="btn quiet big" onClick={onDone}>
          {t("act.cancel")}
        </button>
      </form>
    </aside>
  );
}

interface RightsProps {
  role: User["role"];
  onRole: (role: User["role"]) => void;
  areas: readonly string[];
  onAreas: (areas: readonly string[]) => void;
}

function Rights({ role, onRole, areas, onAreas }: RightsProps) {
  return (
    <>
      <fieldset>
        <legend>{t("users.role")}</legend>
        {ROLES.map((one) => (
          <label key={one} class={role === one ? "chosen" : ""}>
            <input type="radio" name="role" value={one} checked={role === one} onChange={() => onRole(one)} />
            <strong>{word("role", one)}</strong>
            <span>{word("role", `${one}.hint`)}</span>
          </label>
        ))}
      </fieldset>
      {role === "administrator" ? <p>{t("area.administrator")}</p> : <AreaPicker areas={areas} onChange={onAreas} />}
    </>
  );
}
