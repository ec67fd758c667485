"""What is on its way to people elsewhere, as delivery, the API and metrics see it. Begin with `Outgoing`."""

from sqlalchemy import Connection, select

from base import Clock
from camera_config.notification_rules import Language, NoticeKind
from patrol import Actor
from patrol.notify import Notice
from storage import messages, notices, tables
from storage.accounts import add_audit
from storage.messages import MessageState, Outcome, StoredMessage, TargetCount
from storage.reader import Reader
from storage.site_rules import SiteRules
from storage.writer import Writer

__all__ = ["Outgoing"]


class Outgoing:
    """Notices and messages of one store. Methods block, may come from any thread, and raise StorageError, as those of Store."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: SiteRules) -> None:
        self._read = read
        self._write = writer.run
        self._clock = clock
        self._site = rules.grid.site

    # For whoever has something to tell

    def tell(self, notice: Notice) -> None:
        """Queue a notice of something that is not in the database, such as a failed backup."""
        self._write(lambda connection: notices.queue_notices(connection, [notice]))

    def tell_cameras(self) -> int:
        """Queue notices of cameras that have been away for long enough, or are back; how many. Call it every few seconds."""
        now_s = self._clock.now_s()
        return self._write(lambda connection: notices.tell_cameras(connection, self._site, now_s))

    def test(self, target: str, by: Actor) -> None:
        """Queue a test message for one target."""
        now_s = self._clock.now_s()

        def write(connection: Connection) -> None:
            notices.queue_notices(connection, [Notice(0, NoticeKind.TEST, now_s, target=target)])
            add_audit(connection, by, "test_message", f"notice-target/{target}", "", now_s)

        self._write(write)

    # For delivery

    def address(self) -> int:
        """Decide who hears of what was queued; how many notices that were. Only reads while there is nothing."""
        waiting = select(tables.notices.c.id).where(tables.notices.c.done_s.is_(None)).limit(1)
        if self._read(lambda connection: connection.execute(waiting).first()) is None:
            return 0
        now_s = self._clock.now_s()
        return self._write(lambda connection: notices.address_notices(connection, self._site, now_s))

    def targets_with_work(self) -> list[str]:
        """Who has something to get now."""
        return self._read(lambda connection: messages.targets_with_work(connection, self._clock.now_s()))

    def make_messages(self, target: str, language: Language, room: int) -> int:
        """Make at most `room` messages (1 or more) of what is due for a target; how many."""
        now_s = self._clock.now_s()
        return self._write(lambda connection: messages.make_messages(connection, target, language, self._site, room, now_s))

    def next_messages(self, target: str, limit: int) -> list[StoredMessage]:
        """At most `limit` messages to be sent to a target now, oldest first."""
        return self._read(lambda connection: messages.next_messages(connection, target, limit, self._clock.now_s()))

    def note(self, outcome: Outcome) -> None:
        """Write down what one try came to."""
        now_s = self._clock.now_s()
        self._write(lambda connection: messages.note_outcome(connection, outcome, now_s))

    def begin_trying(self, target: str) -> None:
        """The target cannot be reached: from now on the age of everything that waits for it counts."""
        now_s = self._clock.now_s()
        self._write(lambda connection: messages.begin_trying(connection, target, now_s))

    def give_up(self, target: str, error: str) -> int:
        """Give up what has been tried for longer than the site wants; how many."""
        since_s = self._clock.now_s() - self._site.notifications.keep_trying_s
        return self._write(lambda connection: messages.give_up(connection, target, since_s, error))

    # For people

    def message(self, message: str) -> StoredMessage | None:
        """One message by its id."""
        return self._read(lambda connection: messages.read_message(connection, message))

    def messages(
        self, state: MessageState | None = None, target: str = "", limit: int = 100, before: str | None = None
    ) -> list[StoredMessage]:
        """At most `limit` messages, newest first; those after the message `before` of the previous page."""
        return self._read(lambda connection: messages.read_messages(connection, state, target, limit, before))

    def counts(self) -> list[TargetCount]:
        """How much waits and is dead, for each target that has any."""
        return self._read(messages.count_by_target)

    def try_again(self, target: str, by: Actor, message: str | None = None) -> int:
        """Let the dead messages of a target, or one of them, be sent again; how many."""
        now_s = self._clock.now_s()

        def write(connection: Connection) -> int:
            count = messages.try_again(connection, target, message)
            add_audit(connection, by, "retry_messages", f"notice-target/{target}", f"{count} messages", now_s)
            return count

        return self._write(write)
