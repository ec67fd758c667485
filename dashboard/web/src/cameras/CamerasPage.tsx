import "./cameras.css";
import "../registry/registry.css";
import "../teams/teams.css";

import { t, word } from "../i18n";
import { camerasMode, editing, FOR_ADMINISTRATORS, FOR_ALL, mayConfigure, type CamerasMode } from "../registry/facts";
import { Import } from "../registry/Import";
import { Logins } from "../registry/Logins";
import { Registry } from "../registry/Registry";
import { Versions } from "../registry/Versions";
import { Cameras, pointedAt } from "./Cameras";
import { Uplinks } from "./Uplinks";

/** The cameras: to look at, by switch, and for administrators their configuration. */
export function CamerasPage() {
  const modes: readonly CamerasMode[] = mayConfigure() ? [...FOR_ALL, ...FOR_ADMINISTRATORS] : FOR_ALL;
  const mode = modes.includes(camerasMode.value) ? camerasMode.value : "watch";
  return (
    <main class="page cameras" aria-label={t("cameras.title")} data-testid="cameras">
      <nav class="page-tabs" aria-label={t("cameras.title")}>
        {modes.map((one) => (
          <button
            key={one}
            type="button"
            aria-current={mode === one ? "page" : undefined}
            data-testid={`cameras-${one}`}
            onClick={() => {
              camerasMode.value = one;
              editing.value = null;
            }}
          >
            {word("cameras.mode", one)}
          </button>
        ))}
      </nav>
      {mode === "watch" && <Cameras />}
      {mode === "uplinks" && (
        <Uplinks
          onPick={(camera) => {
            pointedAt.value = camera;
            camerasMode.value = "watch";
          }}
        />
      )}
      {mode === "registry" && <Registry />}
      {mode === "import" && <Import />}
      {mode === "versions" && <Versions />}
      {mode === "logins" && <Logins />}
    </main>
  );
}
