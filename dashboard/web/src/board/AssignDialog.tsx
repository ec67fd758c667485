import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { Dialog } from "../controls/Dialog";
import { t } from "../i18n";
import { matter } from "../incident/matter";
import type { Incident, Proposal } from "../records";
import { inLanguage, placeName, teamName } from "../state";

export interface Assignment {
  incident: Incident;
  team: string;
}

interface AssignDialogProps extends Assignment {
  onClose: () => void;
  onSend: () => void;
}

/** Asks once before a team is sent, with what speaks for it, or which team the system would have sent instead. */
export function AssignDialog({ incident, team, onClose, onSend }: AssignDialogProps) {
  const [proposal, setProposal] = useState<Proposal | null>(null);
  useEffect(() => {
    // Without an answer the question stays as it is: the person has decided already.
    api.proposal(incident.id).then(setProposal, () => undefined);
  }, []);
  const reason = proposal?.team === team ? proposal.reason : proposal?.alternatives.find((one) => one.team === team)?.reason;
  return (
    <Dialog title={t("board.assign.title")} onClose={onClose} testid="assign">
      <div class="assign">
        <p>{t("board.assign.text", { team: teamName(team), n: incident.number, what: matter(incident), where: placeName(incident.grid_cell) })}</p>
        {reason && <p class="dim">{inLanguage(reason)}</p>}
        {proposal?.team && proposal.team !== team && (
          <p class="dim" data-testid="assign-other">
            {t("board.assign.other", { team: teamName(proposal.team), reason: inLanguage(proposal.reason) })}
          </p>
        )}
        <div class="assign-actions">
          <button type="button" class="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button type="button" class="btn primary" autofocus data-testid="assign-send" onClick={onSend}>
            {t("board.assign.send")}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
