import { useEffect, useRef, useState } from "preact/hooks";

import { timeOf } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, type Words } from "../i18n";
import type { Key } from "../i18n";
import { callForHelp, pressSupport } from "./commands";
import { calledForHelp, calls, outbox, support } from "./facts";
import { expectedSupport } from "./outbox";

/** As long as nobody holds a button by accident, and anybody can in need. */
export const HOLD_MS = 2000;

/** Whether this team's call goes on, sent or not. */
function calling(): boolean {
  return calls.value.length > 0 || (calledForHelp.value && support.value !== null && expectedSupport(support.value, outbox.value) !== "done");
}

/** Calls for help when it is held for two seconds, by finger or by key; a short press says so. */
export function SosButton() {
  const [holding, setHolding] = useState(false);
  const [hint, setHint] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const begin = (): void => {
    if (holding || calling()) return;
    setHolding(true);
    setHint(true);
    timer.current = setTimeout(() => {
      setHolding(false);
      setHint(false);
      navigator.vibrate?.([400, 100, 400]);
      callForHelp();
    }, HOLD_MS);
  };
  const end = (): void => {
    clearTimeout(timer.current);
    setHolding(false);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (!hint || holding) return;
    const gone = setTimeout(() => setHint(false), 4000);
    return () => clearTimeout(gone);
  }, [hint, holding]);
  return (
    <>
      <button
        type="button"
        class={`phone-sos${holding ? " holding" : ""}`}
        aria-label={t("phone.sos.hold")}
        disabled={calling()}
        data-testid="phone-sos"
        onPointerDown={begin}
        onPointerUp={end}
        onPointerLeave={end}
        onPointerCancel={end}
        onKeyDown={(event) => (event.key === "Enter" || event.key === " ") && !event.repeat && begin()}
        onKeyUp={end}
        onBlur={end}
        onContextMenu={(event) => event.preventDefault()}
      >
        <i aria-hidden="true" />
        <span>{t("phone.sos")}</span>
      </button>
      {hint && (
        <p class="phone-sos-hint" role="status">
          {t(holding ? "phone.sos.holding" : "phone.sos.hold")}
        </p>
      )}
    </>
  );
}

/** What has become of the call, and the button that ends it. */
export function SosCard() {
  if (!calling()) return null;
  const [call] = calls.value;
  const sent = calledForHelp.value ? support.value : null;
  const [state, key, words] = progress();
  return (
    <section class="sos-card" role="alert" data-testid="phone-sos-card" data-state={state}>
      <LevelShape level={1} size={40} hollow={state !== "waiting" && state !== "sent"} flash={state === "waiting"} />
      <div>
        <strong>{t(key, words)}</strong>
        <span class="num">{t("phone.sos.called", { time: timeOf(call?.at ?? sent?.sent_at) })}</span>
      </div>
      {sent && (
        <button type="button" class="btn phone-big" data-testid="phone-safe" onClick={() => pressSupport(sent, "done")}>
          {t("phone.sos.safe")}
        </button>
      )}
    </section>
  );
}

function progress(): [state: "waiting" | "sent" | "taken" | "coming" | "there", key: Key, words?: Words] {
  const about = calledForHelp.value ? support.value?.about : undefined;
  if (!about) return ["waiting", "phone.sos.waiting"];
  if (["on_scene", "reported", "verified"].includes(about.work)) return ["there", "phone.sos.there"];
  if (["dispatched", "accepted", "en_route"].includes(about.work)) return ["coming", "phone.sos.coming"];
  if (about.owner) return ["taken", "phone.sos.taken", { name: about.owner.name }];
  return ["sent", "phone.sos.sent"];
}
