/** The control room: what is shown in which state, and everything that runs beside it (keys, sounds, titles). */

import "./shell.css";

import { useEffect, useLayoutEffect } from "preact/hooks";

import { AdminPage } from "../admin/AdminPage";
import { Board } from "../board/Board";
import { CamerasPage } from "../cameras/CamerasPage";
import { CoveragePage } from "../coverage/CoveragePage";
import { t } from "../i18n";
import { call } from "../incident/call";
import { CallForm } from "../incident/CallForm";
import { Further } from "../incident/Further";
import { further } from "../incident/further";
import { Panel } from "../incident/Panel";
import { Window } from "../live/Window";
import { MapView } from "../map/MapView";
import { Queue } from "../queue/Queue";
import { ReportsPage } from "../reports/ReportsPage";
import { Setup, SignIn } from "../signin/SignIn";
import { begin, current, entry, mayDispatch, notice, session, tab } from "../state";
import { Teams } from "../teams/Teams";
import { inOwnWindow, startFollowing } from "../wall/follow";
import { Wall, WallWindow } from "../wall/Wall";
import { CommandBar } from "./CommandBar";
import { commandOpen, helpOpen, startDesk } from "./desk";
import { Help } from "./Help";
import { Banners, Rail } from "./Rail";
import { TopBar } from "./TopBar";

export function App() {
  useEffect(() => {
    void begin();
    // The one-time link, opened in a tab that shows this page already, changes the address without loading it anew.
    const onHash = (): void => void (entry.peek() !== "ready" && begin());
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  if (entry.value === "starting") return <div class="starting" aria-busy="true" />;
  if (entry.value === "setup") return <Setup />;
  if (entry.value === "sign-in") return <SignIn />;
  return inOwnWindow ? <WallWindow /> : <Room />;
}

function Room() {
  useLayoutEffect(() => startDesk(), []); // keys count from the moment on that the room is seen
  useEffect(() => startFollowing(), []);
  const isAdministrator = session.value?.principal.role === "administrator";
  return (
    <div class="shell">
      <Rail />
      <TopBar />
      <Banners />
      {/* The room stays alive behind the other pages: its map is dear to build. */}
      <main class="room" hidden={tab.value !== "room"} aria-label={t("tab.room")}>
        <Queue />
        <div class="room-centre">
          <MapView />
          {tab.value === "room" && <Window />}
        </div>
        {call.value ? <CallForm key={call.value.command} open={call.value} /> : <Panel />}
      </main>
      {tab.value === "wall" && <Wall />}
      {tab.value === "board" && <Board />}
      {tab.value === "coverage" && <CoveragePage />}
      {tab.value === "cameras" && <CamerasPage />}
      {tab.value === "teams" && <Teams />}
      {tab.value === "reports" && mayDispatch() && <ReportsPage />}
      {tab.value === "users" && isAdministrator && <AdminPage />}
      {further.value && current.value && <Further incident={current.value} />}
      {helpOpen.value && <Help />}
      {commandOpen.value && <CommandBar />}
      <Notice />
    </div>
  );
}

const NOTICE_MS = 8000;

function Notice() {
  const shown = notice.value;
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => (notice.value = null), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [shown?.key]);
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {shown && (
        <div class={`notice ${shown.tone}`} data-testid="notice">
          {shown.text}
        </div>
      )}
    </div>
  );
}
