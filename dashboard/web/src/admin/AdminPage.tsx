import "../cameras/cameras.css";
import "../coverage/coverage.css";
import "../registry/registry.css";
import "../teams/teams.css";
import "./admin.css";

import { t, word } from "../i18n";
import { Users } from "../users/Users";
import { Audit } from "./Audit";
import { Desks } from "./Desks";
import { mode, MODES, type Mode } from "./facts";
import { Limits } from "./Limits";
import { Networks } from "./Networks";
import { Notices } from "./Notices";
import { Sessions } from "./Sessions";
import { System } from "./System";

const PAGES: Record<Mode, () => preact.JSX.Element> = {
  users: Users,
  system: System,
  sessions: Sessions,
  audit: Audit,
  notices: Notices,
  desks: Desks,
  limits: Limits,
  networks: Networks,
};

/** For administrators: who may do what and who did, how the system does, and what it was told to do. */
export function AdminPage() {
  const Page = PAGES[mode.value];
  return (
    <main class="page admin" aria-label={t("admin.title")} data-testid="admin">
      <nav class="page-tabs" aria-label={t("admin.title")}>
        {MODES.map((one) => (
          <button
            key={one}
            type="button"
            aria-current={mode.value === one ? "page" : undefined}
            data-testid={`admin-${one}`}
            onClick={() => (mode.value = one)}
          >
            {word("admin.mode", one)}
          </button>
        ))}
      </nav>
      <Page />
    </main>
  );
}
