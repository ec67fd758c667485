import { useState } from "preact/hooks";

import { t, type Key } from "../i18n";
import { PhotoPicker, type Taken } from "./PhotoPicker";

interface WordsProps {
  title: Key;
  /** What it is about, where the page does not show that. */
  about?: string;
  ready: readonly Key[];
  send: Key;
  placeholder: Key;
  testid: string;
  /** Whether photos go with it. */
  photos?: boolean;
  /** Characters at most. */
  longest?: number;
  onSend: (text: string, taken: readonly Taken[]) => void;
  onCancel?: () => void;
}

/** A few ready sentences for gloved hands, and a field for one's own words. */
export function Words({ about, title, ready, send, placeholder, testid, photos = false, longest = 2000, onSend, onCancel }: WordsProps) {
  const [text, setText] = useState("");
  const [taken, setTaken] = useState<readonly Taken[]>([]);
  return (
    <form
      class="assignment-words"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onSend(text.trim(), taken);
      }}
    >
      {about && <h2 class="stop-name">{about}</h2>}
      <h2>{t(title)}</h2>
      {ready.map((one) => (
        <button key={one} type="button" class={`btn phone-ready${text === t(one) ? " chosen" : ""}`} onClick={() => setText(t(one))}>
          {t(one)}
        </button>
      ))}
      <textarea
        class="input"
        rows={3}
        maxLength={longest}
        value={text}
        placeholder={t(placeholder)}
        aria-label={t(placeholder)}
        data-testid={`${testid}-text`}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {photos && <PhotoPicker taken={taken} onChange={setTaken} />}
      <button class="btn primary phone-big" disabled={!text.trim()} data-testid={testid}>
        {t(send)}
      </button>
      {onCancel && (
        <button type="button" class="btn quiet phone-big" onClick={onCancel}>
          {t("act.cancel")}
        </button>
      )}
    </form>
  );
}
