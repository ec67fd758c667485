import { useEffect, useState } from "preact/hooks";

import { timeOf, written } from "../clock";
import { Dialog } from "../controls/Dialog";
import { t, word } from "../i18n";
import { facts, fail, learnChange, loadRegistry } from "./facts";
import type { Version, VersionDetail } from "./records";
import { registry } from "./requests";

/** Every state the site has had, who made it, what it changed, and the way back. */
export function Versions() {
  const [items, setItems] = useState<readonly Version[]>([]);
  const [next, setNext] = useState<number | null>(null);
  const [open, setOpen] = useState<VersionDetail | null>(null);
  const [asking, setAsking] = useState<Version | null>(null);
  const load = (before: number | null): void => {
    registry
      .versions(before)
      .then((page) => {
        setItems((known) => (before === null ? page.items : [...known, ...page.items]));
        setNext(page.next);
      })
      .catch(fail);
  };
  useEffect(() => {
    void loadRegistry();
    load(null);
  }, []);
  const restore = async (version: Version): Promise<void> => {
    setAsking(null);
    try {
      await learnChange(await registry.restore(version.version, facts.value?.site_digest ?? ""));
      load(null);
    } catch (reason) {
      fail(reason);
    }
  };
  return (
    <section class="wizard" aria-label={t("cameras.mode.versions")} data-testid="versions">
      <table class="table versions">
        <thead>
          <tr>
            <th>{t("versions.number")}</th>
            <th>{t("versions.when")}</th>
            <th>{t("versions.who")}</th>
            <th>{t("versions.what")}</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {items.map((one, index) => (
            <VersionRow
              key={one.version}
              one={one}
              newest={index === 0}
              onOpen={() => void registry.version(one.version).then(setOpen, fail)}
              onRestore={() => setAsking(one)}
            />
          ))}
        </tbody>
      </table>
      {next !== null && (
        <button type="button" class="btn" onClick={() => load(next)}>
          {t("versions.more")}
        </button>
      )}
      {open && <Details version={open} onClose={() => setOpen(null)} />}
      {asking && (
        <Dialog title={t("versions.restore.title", { n: asking.version })} onClose={() => setAsking(null)} testid="restore-dialog">
          <p>{t("versions.restore.text", { n: asking.version })}</p>
          <div class="dialog-buttons">
            <button type="button" class="btn primary" data-testid="restore-do" onClick={() => void restore(asking)}>
              {t("versions.restore")}
            </button>
            <button type="button" class="btn quiet" onClick={() => setAsking(null)}>
              {t("act.cancel")}
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

interface VersionRowProps {
  one: Version;
  newest: boolean;
  onOpen: () => void;
  onRestore: () => void;
}

function VersionRow({ one, newest, onOpen, onRestore }: VersionRowProps) {
  return (
    <tr data-testid="version" data-version={one.version}>
      <td class="num">{one.version}</td>
      <td class="num">{`${written(Date.parse(one.at)).date} ${timeOf(one.at)}`}</td>
      <td>{word("versions.by", one.by)}</td>
      <td>
        {word("versions.what", one.what)}
        {one.restored === null ? "" : ` ${one.restored}`} <span class="dim">{summary(one)}</span>
      </td>
      <td class="right">
        <button type="button" class="btn quiet small" onClick={onOpen}>
          {t("versions.details")}
        </button>
        {!newest && (
          <button type="button" class="btn small" data-testid="version-restore" onClick={onRestore}>
            {t("versions.restore")}
          </button>
        )}
      </td>
    </tr>
  );
}

function summary({ counts, changed, added, removed }: Version): string {
  const parts = (["added", "changed", "removed"] as const).filter((one) => counts[one] > 0).map((one) => `${word("versions", one)} ${counts[one]}`);
  const named = [...added, ...changed, ...removed];
  return named.length > 0 && named.length <= 3 ? named.join(", ") : parts.join(" · ");
}

function Details({ version, onClose }: { version: VersionDetail; onClose: () => void }) {
  return (
    <Dialog title={t("versions.title", { n: version.version })} wide onClose={onClose} testid="version-details">
      <table class="table">
        <thead>
          <tr>
            <th>{t("cameras.column.camera")}</th>
            <th>{t("import.column.field")}</th>
            <th>{t("versions.before")}</th>
            <th>{t("versions.after")}</th>
          </tr>
        </thead>
        <tbody>
          {version.details.map((one, index) => (
            <tr key={index}>
              <td class="num">{one.camera}</td>
              <td>{word("field", one.field)}</td>
              <td class="value">{one.before || "–"}</td>
              <td class="value">{one.after || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {version.details.length === 0 && <p class="dim">{t("versions.nothing")}</p>}
    </Dialog>
  );
}
