/** How the administrator's lists are read: once when they open, again when asked, with a sentence when that fails. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { t } from "../i18n";
import { say } from "../state";

export interface Loaded<T> {
  data: T | null;
  failed: string;
  reload: () => void;
}

export function sentence(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** What `read` gives; anew whenever `of` changes and, with `every_ms`, again and again. */
export function useLoaded<T>(read: () => Promise<T>, of: readonly unknown[] = [], every_ms = 0): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [failed, setFailed] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isStale = false;
    const ask = (): void => {
      read()
        .then((found) => {
          if (isStale) return;
          setData(found);
          setFailed("");
        })
        .catch((reason: unknown) => !isStale && setFailed(sentence(reason)));
    };
    ask();
    const timer = every_ms > 0 ? setInterval(ask, every_ms) : undefined;
    return () => {
      isStale = true;
      clearInterval(timer);
    };
  }, [...of, turn]);
  return { data, failed, reload: () => setTurn((before) => before + 1) };
}

/** Do something for the administrator and say what came of it. */
export async function act(what: () => Promise<string>, then: () => void): Promise<void> {
  try {
    say(await what());
  } catch (reason) {
    say(sentence(reason), "fault");
  }
  then();
}

interface SheetProps {
  title: string;
  hint?: string;
  count?: number | undefined;
  loaded: Loaded<unknown>;
  tools?: ComponentChildren;
  testid: string;
  children: ComponentChildren;
}

/** One list of the administrator's with its head; while there is nothing yet, why. */
export function Sheet({ title, hint, count, loaded, tools, testid, children }: SheetProps) {
  return (
    <section class="page-list admin-sheet" aria-label={title} data-testid={testid}>
      <header class="page-head">
        <div>
          <h1>{title}</h1>
          {hint && <p class="dim">{hint}</p>}
        </div>
        {tools}
        {count !== undefined && <span class="page-count num">{count}</span>}
      </header>
      {loaded.failed && (
        <p class="admin-failed fault-text" role="alert">
          {loaded.failed}{" "}
          <button type="button" class="btn small" onClick={loaded.reload}>
            {t("admin.again")}
          </button>
        </p>
      )}
      {loaded.data === null ? !loaded.failed && <div class="empty" aria-busy="true" /> : <div class="admin-body">{children}</div>}
    </section>
  );
}
