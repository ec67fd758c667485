import "./controls.css";

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import { t } from "../i18n";
import { Icon } from "./shapes";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  bare?: boolean;
  /** For a picture: as wide as the window allows. */
  wide?: boolean;
  testid?: string;
}

/** A window over the page that holds the focus until it is closed (Escape, button, or a click beside it). */
export function Dialog({ title, onClose, children, bare = false, wide = false, testid }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  // Before the next key: what somebody types after `/` must not act on the incident behind.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={`dialog${wide ? " wide" : ""}`}
      aria-label={title}
      data-testid={testid}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      {!bare && (
        <header class="dialog-head">
          <h2>{title}</h2>
          <button type="button" class="btn quiet icon small" aria-label={t("act.cancel")} onClick={onClose}>
            <Icon name="close" size={16} />
          </button>
        </header>
      )}
      {bare ? children : <div class="dialog-body">{children}</div>}
    </dialog>
  );
}
