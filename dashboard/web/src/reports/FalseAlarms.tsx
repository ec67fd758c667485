import { useState } from "preact/hooks";

import { Bar } from "../coverage/Places";
import { t, word } from "../i18n";
import { count } from "../numbers";
import { camerasMode, editing, mayConfigure } from "../registry/facts";
import { cameraName, tab } from "../state";
import { Part } from "./ReportsPage";
import { category, useAnswer, type Assessment, type Figures } from "./requests";
import { worstFirst } from "./sums";
import { shareOr } from "./Times";

const GROUPS = ["rule", "camera"] as const;
const FIRST = 20;

/** Who rang in vain, the worst first. */
export function FalseAlarms() {
  const [by, setBy] = useState<(typeof GROUPS)[number]>("rule");
  const query = { by, category: category.value };
  const answer = useAnswer<Assessment>("assessment", { ...query, with_coverage: "false" });
  return (
    <Part
      part="false"
      title={t("reports.false")}
      hint={t("reports.false.hint")}
      path="assessment"
      query={query}
      answer={answer}
      tools={
        <div class="segments" role="group" aria-label={t("reports.by")}>
          {GROUPS.map((one) => (
            <button key={one} type="button" aria-pressed={by === one} data-testid={`false-${one}`} onClick={() => setBy(one)}>
              {word("reports.by", one)}
            </button>
          ))}
        </div>
      }
    >
      {answer.data && <Worst groups={worstFirst(answer.data.groups)} />}
    </Part>
  );
}

function Worst({ groups }: { groups: readonly Figures[] }) {
  const [whole, setWhole] = useState(false);
  const hasRules = groups.some((one) => one.name.includes("/")); // what is shown may be older than what is asked for
  if (groups.length === 0) return <p class="dim">{t("reports.false.none")}</p>;
  const most = groups[0]?.verdicts.false_alarm ?? 1;
  return (
    <>
      <table class="table compact worst" data-testid="false-table">
        <thead>
          <tr>
            <th scope="col">{t("reports.camera")}</th>
            {hasRules && <th scope="col">{t("reports.rule")}</th>}
            <th scope="col" class="right">
              {t("reports.false")}
            </th>
            <th scope="col" class="bar-column" />
            <th scope="col" class="right">
              {t("reports.closed")}
            </th>
            <th scope="col" class="right">
              {t("reports.false.rate")}
            </th>
            {mayConfigure() && <th scope="col" />}
          </tr>
        </thead>
        <tbody>
          {(whole ? groups : groups.slice(0, FIRST)).map((one) => (
            <WorstRow key={one.name} one={one} most={most} hasRules={hasRules} />
          ))}
        </tbody>
      </table>
      {groups.length > FIRST && (
        <button type="button" class="btn small" onClick={() => setWhole(!whole)}>
          {whole ? t("reports.fewer") : t("reports.more", { n: groups.length })}
        </button>
      )}
    </>
  );
}

function WorstRow({ one, most, hasRules }: { one: Figures; most: number; hasRules: boolean }) {
  const slash = one.name.indexOf("/");
  const [camera, rule] = slash < 0 ? [one.name, ""] : [one.name.slice(0, slash), one.name.slice(slash + 1)];
  const open = (): void => {
    camerasMode.value = "registry";
    editing.value = { id: camera };
    tab.value = "cameras";
  };
  return (
    <tr data-testid="false-row" data-name={one.name}>
      <th scope="row">
        {cameraName(camera)} <span class="dim num">{camera}</span>
      </th>
      {hasRules && <td>{rule}</td>}
      <td class="num right">{count(one.verdicts.false_alarm)}</td>
      <td class="bar-column">
        <Bar rate={one.verdicts.false_alarm / most} />
      </td>
      <td class="num right">{count(one.closed)}</td>
      <td class="num right">{shareOr(one.false_alarm_rate)}</td>
      {mayConfigure() && (
        <td class="right">
          <button type="button" class="btn small" onClick={open} aria-label={t("reports.rules.of", { camera: cameraName(camera) })}>
            {t("reports.rules")}
          </button>
        </td>
      )}
    </tr>
  );
}
