"""Referral desks as the rest of Gridpatrol sees them: steps once, what they have, what falls due."""

from base import Clock
from patrol.referral import Referral, ReferralCommand, ReferralEntry
from storage import referrals
from storage.areas import Area
from storage.reader import Reader
from storage.site_rules import SiteRules
from storage.writer import Writer

__all__ = ["Desks"]


class Desks:
    """The referrals of one site. As the `Store` it belongs to: any thread, returns after the commit, raises StorageError."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: SiteRules) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._rules = rules

    def take(self, command: ReferralCommand) -> Referral:
        """Refer, or carry out one step of a referral, once by the command's id; the referral after it.

        The incident's clock stands still from the moment a desk accepts until none answers for it any more. Raises what
        `patrol.referral` raises, TransitionError for an unknown referral or incident, CommandError for an unknown desk.
        """
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: referrals.take(connection, command, self._rules, now_s))

    def tell_due(self) -> list[Referral]:
        """Write down every warning, breach and escalation that fell due, each once. While nothing is due it only reads."""
        now_s = self._clock.now_s()
        if not self._read(lambda connection: referrals.any_referral_due(connection, now_s)):
            return []
        return self._writer.run(lambda connection: referrals.tell_referrals(connection, self._rules, now_s))

    def referral(self, referral: str) -> Referral | None:
        """One referral by its id."""
        return self._read(lambda connection: referrals.read_referral(connection, referral))

    def history(self, referral: str) -> list[ReferralEntry]:
        """The history of one referral, oldest first."""
        return self._read(lambda connection: referrals.read_referral_history(connection, referral))

    def referrals_of(self, incident: str) -> list[Referral]:
        """The referrals of one incident, oldest first."""
        return self._read(lambda connection: referrals.read_referrals_of(connection, incident))

    def open_referrals(self, desk: str = "", area: Area | None = None) -> list[Referral]:
        """What desks have or are asked to take, oldest first; of one desk or of all, of one area or everywhere."""
        return self._read(lambda connection: referrals.read_open_referrals(connection, desk, area))
