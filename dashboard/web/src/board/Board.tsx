import "./board.css";

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { t } from "../i18n";
import { dispatch, mayBeSent } from "../incident/steps";
import { mayDispatch, say } from "../state";
import { AssignDialog, type Assignment } from "./AssignDialog";
import { follow } from "./facts";
import { Handovers } from "./Handovers";
import { Rounds } from "./Rounds";
import { StageColumns } from "./StageColumns";
import { TeamStrip } from "./TeamStrip";
import { TimeLine } from "./TimeLine";

/** The team that was picked up, by mouse or by key, to be sent to the incident that is pointed at next. */
export const carried = signal<string | null>(null);

/** The dispatcher's page: who is free, what is at which stage, what is walked, who works when, and the handover. */
export function Board() {
  const [assignment, setAssignment] = useState<Assignment | null>(null);
  useEffect(follow, []);
  useEffect(() => {
    const drop = (event: KeyboardEvent): void => {
      if (event.key === "Escape") carried.value = null;
    };
    document.addEventListener("keydown", drop);
    return () => {
      document.removeEventListener("keydown", drop);
      carried.value = null;
    };
  }, []);
  const assign = (wanted: Assignment): void => {
    carried.value = null;
    if (!mayDispatch()) say(t("act.by.dispatcher"), "fault");
    else if (!mayBeSent(wanted.incident)) say(t("board.assign.late", { n: wanted.incident.number }), "fault");
    else setAssignment(wanted);
  };
  return (
    <main class="page board" aria-label={t("tab.board")} data-testid="board">
      <TeamStrip />
      <StageColumns onAssign={assign} />
      <div class="board-below">
        <Rounds />
        <TimeLine />
        <Handovers />
      </div>
      {assignment && (
        <AssignDialog
          {...assignment}
          onClose={() => setAssignment(null)}
          onSend={() => {
            dispatch(assignment.incident, assignment.team);
            setAssignment(null);
          }}
        />
      )}
    </main>
  );
}
