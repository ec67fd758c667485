import { useEffect, useRef, useState } from "preact/hooks";

import type { Round, Stop } from "../board/records";
import { t, type Key } from "../i18n";
import { lang } from "../prefs";
import { checkIn } from "./commands";
import { rounds, site } from "./facts";
import { lookUpPosition } from "./place";
import { codeFrom, stopOfCode } from "./rounds";
import { canReadTags, canScan, readTags, scanInto } from "./scan";

interface CheckInProps {
  round: Round;
  stop: Stop;
  onEnd: () => void;
}

/** Proves to be at a stop: by camera, tag, typed code, or where there is none, by the place. */
export function CheckIn({ round, stop, onEnd }: CheckInProps) {
  const [wrong, setWrong] = useState<Key | null>(null);
  const done = useRef(false);
  const take = (text: string): void => {
    const code = codeFrom(text, site.peek()?.id ?? "", stop.checkpoint);
    const found = code && stopOfCode(code, round, rounds.peek());
    if (!code || !found) return setWrong(code ? "phone.checkin.other" : "phone.checkin.wrong");
    if (done.current) return; // the camera sees a code more than once
    done.current = true;
    void checkIn(found.round, found.stop, code);
    onEnd();
  };
  // So that the position is known by the time the code is read.
  useEffect(() => void lookUpPosition(), []);
  return (
    <section class="checkin" data-testid="checkin">
      <h2>{stop.name[lang.value]}</h2>
      {stop.has_code ? (
        <>
          <Camera onCode={take} />
          <Typed onCode={take} />
        </>
      ) : (
        <button
          type="button"
          class="btn primary phone-big"
          data-testid="checkin-here"
          onClick={() => {
            void checkIn(round, stop, "");
            onEnd();
          }}
        >
          {t("phone.checkin.here")}
        </button>
      )}
      {wrong && (
        <p class="phone-refused" role="alert" data-testid="checkin-wrong">
          {t(wrong)}
        </p>
      )}
      <button type="button" class="btn quiet phone-big" onClick={onEnd}>
        {t("act.cancel")}
      </button>
    </section>
  );
}

/** The picture of the camera with a frame to hold the code in; nothing where the browser reads no codes. */
function Camera({ onCode }: { onCode: (text: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [blocked, setBlocked] = useState(!canScan());
  const [tags, setTags] = useState(canReadTags());
  useEffect(() => {
    const ending = new AbortController();
    const failed = (): void => void (!ending.signal.aborted && setBlocked(true));
    if (!blocked && video.current) scanInto(video.current, ending.signal, onCode).catch(failed);
    if (tags) readTags(ending.signal, onCode).catch(() => setTags(false));
    return () => ending.abort();
  }, []);
  return (
    <>
      {!blocked && (
        <div class="checkin-camera">
          <video ref={video} playsInline muted data-testid="checkin-video" />
          <i aria-hidden="true" />
        </div>
      )}
      <p>
        {t(blocked ? "phone.checkin.blocked" : "phone.checkin.aim")} {tags && t("phone.checkin.nfc")}
      </p>
    </>
  );
}

function Typed({ onCode }: { onCode: (text: string) => void }) {
  const [text, setText] = useState("");
  return (
    <form
      class="checkin-typed"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onCode(text);
      }}
    >
      <label class="field">
        {t("phone.checkin.typed")}
        <input
          class="input"
          value={text}
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          placeholder="1-ABCD-EFGH-IJKL-MNOP"
          data-testid="checkin-code"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button class="btn primary phone-big" disabled={!text.trim()} data-testid="checkin-send">
        {t("phone.checkin.send")}
      </button>
    </form>
  );
}
