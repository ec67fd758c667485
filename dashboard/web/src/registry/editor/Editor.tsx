import "../../map/map.css";
import "./editor.css";

import { useEffect, useState } from "preact/hooks";

import { ApiError } from "../../api";
import { Dialog } from "../../controls/Dialog";
import { t } from "../../i18n";
import { cameraName, site } from "../../state";
import { editing, fail, learnChange, sentence } from "../facts";
import type { Entry, Problem } from "../records";
import { registry } from "../requests";
import { Beside } from "./Beside";
import { CameraForm } from "./CameraForm";
import { asRequest, differences, draftOf, NEW_CAMERA, placed, placesAt } from "./draft";
import { EditorMap } from "./EditorMap";
import { Picture } from "./Picture";
import { ShapeList } from "./ShapeList";
import { begin, canRedo, canUndo, draft, isChanged, redo, saved, undo } from "./work";

type Edited = { id: string } | { draft: Partial<Entry> };
type View = "map" | "picture";

/** A conflict is no fault of one's own: who was faster, and what to do about it. */
interface Refused {
  text: string;
  problems: readonly Problem[];
  conflict: boolean;
}

/** One camera: on the map, on its own picture, and in numbers. */
export function Editor({ edited }: { edited: Edited }) {
  const [ready, setReady] = useState(false);
  const [view, setView] = useState<View>("map");
  const [refused, setRefused] = useState<Refused | null>(null);
  const [leaving, setLeaving] = useState(false);
  const isNew = !("id" in edited);
  const load = (): void => {
    setRefused(null);
    void take(edited).then(() => setReady(true), fail);
  };
  useEffect(load, []);
  useEffect(() => listenForUndo(), []);
  const done = (): void => void (editing.value = null);
  if (!ready) return <div class="empty" aria-busy="true" />;
  return (
    <section class="editor" aria-label={t("editor.title")} data-testid="editor" data-changed={isChanged.value}>
      <Head
        isNew={isNew}
        view={view}
        onView={setView}
        onBack={() => (isChanged.peek() ? setLeaving(true) : done())}
        onSave={() => void save(isNew, setRefused)}
      />
      {refused && <RefusedBox refused={refused} onReload={load} />}
      <div class="editor-work">{view === "map" || isNew ? <EditorMap wide={isNew && edited.draft.lon === undefined} /> : <Picture camera={draft.value.camera.id} />}</div>
      <aside class="editor-side">
        {view === "picture" && !isNew && <ShapeList />}
        {!isNew && <Beside camera={draft.value.camera.id} />}
        <CameraForm problems={refused?.problems ?? []} />
        {!isNew && <Remove onDone={done} />}
      </aside>
      {leaving && (
        <Dialog title={t("editor.leave.title")} onClose={() => setLeaving(false)} testid="leave-dialog">
          <p>{t("editor.leave.text")}</p>
          <div class="dialog-buttons">
            <button type="button" class="btn primary" onClick={done}>
              {t("editor.leave")}
            </button>
            <button type="button" class="btn quiet" onClick={() => setLeaving(false)}>
              {t("editor.stay")}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

async function take(edited: Edited): Promise<void> {
  if (!("id" in edited)) return beginNew(edited.draft);
  const known = await registry.camera(edited.id);
  begin(draftOf(known), known.digest);
}

function beginNew(given: Partial<Entry>): void {
  const ground = site.peek();
  const [west, south, east, north] = ground?.bounds ?? [0, 0, 0, 0];
  const camera = { ...placed(NEW_CAMERA, (west + east) / 2, (south + north) / 2), ...given };
  const places = ground ? placesAt(ground, camera.lon, camera.lat) : {};
  begin({ camera: { ...camera, ...places }, rules: [], privacy: [], ignore: [] }, "");
}

function listenForUndo(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.isComposing) return;
    const key = event.key.toLowerCase();
    // In a text field the browser's own undo would fight with this one.
    if (key === "z") (event.shiftKey ? redo : undo)();
    else if (key === "y") redo();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

/** Camera, rules and masks go together: what the server takes it takes whole. */
async function save(isNew: boolean, setRefused: (refused: Refused | null) => void): Promise<void> {
  const { camera } = draft.peek();
  setRefused(null);
  try {
    const parts = differences(saved.peek().draft, draft.peek());
    await learnChange(isNew ? await registry.create(asRequest(camera)) : await registry.replace(saved.peek().digest, camera.id, parts));
    const known = await registry.camera(camera.id);
    begin(draftOf(known), known.digest);
    if (isNew) editing.value = { id: camera.id };
  } catch (reason) {
    if (!(reason instanceof ApiError)) return fail(reason);
    const conflict = reason.status === 409 && !isNew;
    setRefused({ text: sentence(reason), problems: reason.more.problems ?? [], conflict });
  }
}

interface HeadProps {
  isNew: boolean;
  view: View;
  onView: (view: View) => void;
  onBack: () => void;
  onSave: () => void;
}

function Head({ isNew, view, onView, onBack, onSave }: HeadProps) {
  const { camera } = draft.value;
  return (
    <header class="page-head editor-head">
      <button type="button" class="btn quiet" data-testid="editor-back" onClick={onBack}>
        ← {t("editor.back")}
      </button>
      <h1>{isNew ? t("editor.new") : <><span class="num">{camera.id}</span> {cameraName(camera.id)}</>}</h1>
      {!isNew && (
        <div class="segments" role="group" aria-label={t("editor.title")}>
          {(["map", "picture"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={view === one} data-testid={`editor-view-${one}`} onClick={() => onView(one)}>
              {t(one === "map" ? "editor.view.map" : "editor.view.picture")}
            </button>
          ))}
        </div>
      )}
      <div class="editor-buttons">
        <button type="button" class="btn" disabled={!canUndo.value} data-testid="undo" title="Ctrl Z" onClick={undo}>
          {t("editor.undo")}
        </button>
        <button type="button" class="btn" disabled={!canRedo.value} title="Ctrl Shift Z" onClick={redo}>
          {t("editor.redo")}
        </button>
        <button type="button" class="btn primary" disabled={!isChanged.value && !isNew} data-testid="editor-save" onClick={onSave}>
          {t("editor.save")}
        </button>
      </div>
    </header>
  );
}

function RefusedBox({ refused, onReload }: { refused: Refused; onReload: () => void }) {
  return (
    <div class="refused" role="alert" data-testid="editor-refused" data-conflict={refused.conflict}>
      <span>{refused.text}</span>
      {refused.conflict && (
        <button type="button" class="btn small" data-testid="editor-reload" onClick={onReload}>
          {t("editor.reload")}
        </button>
      )}
    </div>
  );
}

function Remove({ onDone }: { onDone: () => void }) {
  const [asking, setAsking] = useState(false);
  const { camera } = saved.value.draft;
  const remove = async (): Promise<void> => {
    setAsking(false);
    try {
      await learnChange(await registry.remove(saved.peek().digest, camera.id));
      onDone();
    } catch (reason) {
      fail(reason);
    }
  };
  return (
    <div class="side-part">
      <button type="button" class="btn quiet" data-testid="editor-remove" onClick={() => setAsking(true)}>
        {t("editor.remove")}
      </button>
      {asking && (
        <Dialog title={t("editor.remove.title", { id: camera.id })} onClose={() => setAsking(false)} testid="remove-dialog">
          <p>{t("editor.remove.text")}</p>
          <div class="dialog-buttons">
            <button type="button" class="btn primary" onClick={() => void remove()}>
              {t("editor.remove")}
            </button>
            <button type="button" class="btn quiet" onClick={() => setAsking(false)}>
              {t("act.cancel")}
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
