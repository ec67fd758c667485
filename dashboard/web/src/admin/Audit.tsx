import { useEffect, useState } from "preact/hooks";

import { written } from "../clock";
import { t } from "../i18n";
import { auditAsked } from "./facts";
import { sentence, Sheet } from "./loading";
import { admin, auditFile, type AuditAsked, type AuditPage, type AuditRow } from "./requests";

const TYPED_MS = 300;

/** Who did what to what, newest first; read further page by page. */
export function Audit() {
  const asked = auditAsked.value;
  const setAsked = (wanted: AuditAsked): void => void (auditAsked.value = wanted);
  const [page, setPage] = useState<AuditPage | null>(null);
  const [rows, setRows] = useState<readonly AuditRow[]>([]);
  const [failed, setFailed] = useState("");
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isStale = false;
    const timer = setTimeout(() => {
      admin
        .audit(asked, null)
        .then((found) => {
          if (isStale) return;
          setPage(found);
          setRows(found.items);
          setFailed("");
        })
        .catch((reason: unknown) => !isStale && setFailed(sentence(reason)));
    }, TYPED_MS);
    return () => {
      isStale = true;
      clearTimeout(timer);
    };
  }, [asked, turn]);
  const further = (): void => {
    admin
      .audit(asked, page?.next ?? null)
      .then((found) => {
        setPage(found);
        setRows((before) => [...before, ...found.items]);
      })
      .catch((reason: unknown) => setFailed(sentence(reason)));
  };
  const loaded = { data: page, failed, reload: () => setTurn((before) => before + 1) };
  return (
    <Sheet
      title={t("audit.title")}
      loaded={loaded}
      testid="audit"
      tools={
        <form class="admin-filter" role="search" onSubmit={(event) => event.preventDefault()}>
          <Search label={t("audit.actor")} value={asked.actor} onInput={(actor) => setAsked({ ...asked, actor })} testid="audit-actor" />
          <select
            class="input"
            aria-label={t("audit.action")}
            value={asked.action}
            data-testid="audit-action"
            onChange={(event) => setAsked({ ...asked, action: event.currentTarget.value })}
          >
            <option value="">{t("audit.action.all")}</option>
            {page?.actions.map((action) => (
              <option key={action} value={action}>
                {action}
              </option>
            ))}
          </select>
          <Search label={t("audit.text")} value={asked.text} onInput={(text) => setAsked({ ...asked, text })} testid="audit-text" />
          {(["csv", "xlsx"] as const).map((format) => (
            <a key={format} class="btn" href={auditFile(asked, format)} download aria-label={t("audit.file", { format: format.toUpperCase() })} data-testid={`audit-${format}`}>
              {format.toUpperCase()}
            </a>
          ))}
        </form>
      }
    >
      <Rows rows={rows} />
      {rows.length === 0 && <p class="dim">{t("audit.none")}</p>}
      {page?.next && (
        <button type="button" class="btn" data-testid="audit-more" onClick={further}>
          {t("audit.more")}
        </button>
      )}
    </Sheet>
  );
}

function Rows({ rows }: { rows: readonly AuditRow[] }) {
  return (
    <table class="table compact audit-table">
      <thead>
        <tr>
          <th scope="col">{t("audit.at")}</th>
          <th scope="col">{t("audit.by")}</th>
          <th scope="col">{t("audit.action")}</th>
          <th scope="col">{t("audit.what")}</th>
          <th scope="col">{t("audit.detail")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.number} data-testid="audit-row">
            <td class="num">
              {written(Date.parse(row.at)).date} {written(Date.parse(row.at)).time}
            </td>
            <td>{row.by.name}</td>
            <td>
              <code>{row.action}</code>
            </td>
            <td class="wrap">{row.resource}</td>
            <td class="wrap">{row.detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface SearchProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  testid: string;
}

function Search({ label, value, onInput, testid }: SearchProps) {
  return (
    <input
      class="input"
      type="search"
      value={value}
      maxLength={64}
      placeholder={label}
      aria-label={label}
      data-testid={testid}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}
