import { lapse, now } from "../clock";
import { Icon } from "../controls/shapes";
import { t, word } from "../i18n";
import type { Incident, Proposal } from "../records";
import { inLanguage, mayDispatch, placeName, teamName, teams } from "../state";
import { chosenTeam, fresh } from "./proposal";
import { armed, isSent, mayBeSent, picked } from "./steps";

/** Who should go and why; or who is on it. */
export function ProposalCard({ incident }: { incident: Incident }) {
  const choosing = mayBeSent(incident) && (!isSent(incident) || armed.value === "dispatch");
  if (!choosing) return <Assigned incident={incident} />;
  const proposal = fresh.value;
  const isArmed = armed.value === "dispatch";
  return (
    <section class={`proposal${isArmed ? " armed" : ""}`} data-testid="proposal" data-armed={isArmed}>
      <header>
        <h3>{t("proposal.title")}</h3>
        {isArmed && chosenTeam.value && <span class="proposal-hint">{t("proposal.again")}</span>}
      </header>
      {(incident.refused ?? []).map((team) => (
        <p key={team} class="proposal-refused">
          {t("proposal.refused", { team: teamName(team) })}
        </p>
      ))}
      {!proposal && <p class="proposal-reason">{t("proposal.loading")}</p>}
      {proposal && !proposal.team && <Shortfall proposal={proposal} />}
      {proposal?.team && <Choices proposal={proposal} />}
    </section>
  );
}

function Shortfall({ proposal }: { proposal: Proposal }) {
  return (
    <div class="shortfall" role="alert" data-testid="shortfall">
      <strong>{t("proposal.none")}</strong>
      {proposal.shortfall && <p>{inLanguage(proposal.shortfall)}</p>}
      <p>
        {proposal.escalate_to ? `${placeName(proposal.escalate_to)} · ` : ""}
        {t("proposal.escalate")}
      </p>
    </div>
  );
}

function Choices({ proposal }: { proposal: Proposal }) {
  const choices = [{ team: proposal.team ?? "", reason: proposal.reason }, ...proposal.alternatives];
  const isArmed = armed.value === "dispatch";
  const shown = choices.slice(0, isArmed ? 5 : 3);
  return (
    <ul class="choices" role="radiogroup" aria-label={t("proposal.title")}>
      {shown.map((choice, index) => {
        const chosen = choice.team === chosenTeam.value;
        return (
          <li key={choice.team}>
            <button
              type="button"
              role="radio"
              aria-checked={chosen}
              class={`choice${chosen ? " chosen" : ""}`}
              data-testid="proposal-choice"
              data-team={choice.team}
              disabled={!mayDispatch()}
              onClick={() => {
                armed.value = "dispatch";
                picked.value = choice.team;
              }}
            >
              <span class="key">{index + 1}</span>
              <span class="choice-text">
                <strong class="clip">{teamName(choice.team)}</strong>
                <span>{inLanguage(choice.reason)}</span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** The team that was sent, with the age of what its phone says. */
function Assigned({ incident }: { incident: Incident }) {
  if (!incident.team) return null;
  const team = teams.value.get(incident.team);
  const age = team?.position_at ? lapse(now.value - Date.parse(team.position_at)) : null;
  return (
    <section class="proposal assigned" data-testid="assigned">
      <header>
        <h3>{t("proposal.dispatched")}</h3>
      </header>
      <p class="assigned-team">
        <Icon name="teams" size={18} />
        <strong>{teamName(incident.team)}</strong>
        <span>{word("work", incident.work)}</span>
      </p>
      <p class="proposal-reason">{age ? t("proposal.phone", { age }) : t("proposal.phone.none")}</p>
    </section>
  );
}
