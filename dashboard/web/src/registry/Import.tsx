import { useRef, useState } from "preact/hooks";

import { t, word } from "../i18n";
import { count } from "../numbers";
import { learnChange, sentence } from "./facts";
import type { Imported } from "./records";
import { exportFile, registry, type FileFormat } from "./requests";

const FORMATS: readonly FileFormat[] = ["csv", "xlsx", "geojson"];

/** The format that a file's name says; null: none of ours. */
export function formatOf(name: string): FileFormat | null {
  const ending = name.toLowerCase().split(".").pop() ?? "";
  return ending === "json" ? "geojson" : (FORMATS.find((one) => one === ending) ?? null);
}

/** Cameras from a file: choose it, see what each row would do, take over the good ones. */
export function Import() {
  const [file, setFile] = useState<File | null>(null);
  const [found, setFound] = useState<Imported | null>(null);
  const [failed, setFailed] = useState("");
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const ask = async (chosen: File, digest: string | null): Promise<void> => {
    setBusy(true);
    setFailed("");
    try {
      const format = formatOf(chosen.name);
      if (!format) throw new Error(t("import.format"));
      const answer = await registry.importFile(chosen, format, digest);
      setFound(answer);
      if (answer.changed_now) await learnChange(answer.changed_now);
    } catch (reason) {
      setFailed(sentence(reason));
    }
    setBusy(false);
  };
  const take = (chosen: File | undefined): void => {
    setFound(null);
    setFile(chosen ?? null);
    if (chosen) void ask(chosen, null);
    if (input.current) input.current.value = "";
  };
  return (
    <section class="wizard" aria-label={t("cameras.mode.import")} data-testid="import">
      <div
        class="drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          take(event.dataTransfer?.files[0]);
        }}
      >
        <label class="btn primary">
          {t("import.choose")}
          <input
            ref={input}
            class="sr-only"
            type="file"
            accept=".csv,.xlsx,.geojson,.json"
            data-testid="import-file"
            onChange={(event) => take(event.currentTarget.files?.[0])}
          />
        </label>
        <p>{file ? file.name : t("import.hint")}</p>
        <p class="dim">
          {t("import.template")}{" "}
          {FORMATS.map((one) => (
            <a key={one} href={exportFile(one)} download>
              {one.toUpperCase()}{" "}
            </a>
          ))}
        </p>
      </div>
      <p class="fault-text" role="alert">
        {failed}
      </p>
      {busy && <p aria-busy="true">{t("import.reading")}</p>}
      {file && found && !busy && <Found found={found} onImport={() => void ask(file, found.site_digest)} />}
    </section>
  );
}

function Found({ found, onImport }: { found: Imported; onImport: () => void }) {
  const takes = found.added + found.changed;
  const tiles = [
    ["added", found.added],
    ["changed", found.changed],
    ["unchanged", found.unchanged],
    ["refused", found.refused],
  ] as const;
  return (
    <div class="found" data-testid="import-found" data-dry-run={found.dry_run}>
      <h2>{t(found.dry_run ? "import.would" : "import.did", { n: count(found.rows) })}</h2>
      <dl class="tiles">
        {tiles.map(([name, number]) => (
          <div key={name} class={name === "refused" && number > 0 ? "bad" : ""}>
            <dt>{word("import", name)}</dt>
            <dd class="num" data-testid={`import-${name}`}>
              {count(number)}
            </dd>
          </div>
        ))}
      </dl>
      {found.dry_run && (
        <button type="button" class="btn primary" disabled={takes === 0} data-testid="import-do" onClick={onImport}>
          {takes === 0 ? t("import.nothing") : t("import.do", { n: count(takes) })}
        </button>
      )}
      {found.faults.length > 0 && <Faults found={found} />}
      {found.changes.length > 0 && (
        <details>
          <summary>{t("import.changes", { n: count(takes) })}</summary>
          <ul class="import-changes">
            {found.changes.map((one) => (
              <li key={`${one.line}-${one.camera}`}>
                <span class="num dim">{t("import.line", { n: one.line })}</span> <b class="num">{one.camera}</b> {word("import", one.outcome)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Faults({ found }: { found: Imported }) {
  return (
    <table class="table import-faults">
      <thead>
        <tr>
          <th>{t("import.column.line")}</th>
          <th>{t("cameras.column.camera")}</th>
          <th>{t("import.column.field")}</th>
          <th>{t("import.column.reason")}</th>
        </tr>
      </thead>
      <tbody>
        {found.faults.flatMap(({ line, camera, problems }) =>
          problems.map((problem, index) => (
            <tr key={`${line}-${index}`} data-testid="import-fault">
              <td class="num">{line}</td>
              <td class="num">{camera || "–"}</td>
              <td>{problem.field || "–"}</td>
              <td>{problem.reason}</td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  );
}
