"""E-mail over SMTP (RFC 5321), protected by TLS from the start or by STARTTLS, certificates checked."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from base import printable
from camera_config.notification_rules import Email, Language, Security
from camera_config.site import Credential, Site
from fleet.notices.sender import DEADLINE_S, MessageRefused, MessageRejected, TargetDown
from patrol.notice_words import Message

__all__ = ["MailSender", "mail_of"]

_STEP_S = 10.0  # for one answer of the server
_PAGE = {Language.ZH: "打开：", Language.EN: "open: "}


class MailSender:
    """Sends messages to the addresses of one target; see `Sender`. `context` says whom to trust: the system's authorities."""

    per_min = 60

    def __init__(
        self,
        target: Email,
        login: Credential | None,
        site: Site,
        context: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._target = target
        self._login = login
        self._site = site
        self._context = context

    async def send(self, message: Message) -> None:
        mail = mail_of(message, self._target, self._site)
        try:
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.to_thread(self._deliver, mail)
        except TimeoutError:
            raise TargetDown(f"the mail server was not done within {DEADLINE_S:.0f} s") from None

    def _deliver(self, mail: EmailMessage) -> None:
        """Hand the mail to the server; blocks. Raises SendError."""
        try:
            with self._connect() as server:
                if self._login is not None:
                    server.login(self._login.user, self._login.password)
                refused = server.send_message(mail, self._target.sender, self._target.to)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _of_code(code, f"no address was taken: {_said(text)}") from None
        except smtplib.SMTPAuthenticationError as error:
            raise TargetDown(f"the mail server does not accept the login: {error.smtp_code}") from None
        except smtplib.SMTPResponseException as error:
            raise _of_code(error.smtp_code, f"the mail server said {error.smtp_code} {_said(error.smtp_error)}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise TargetDown(f"{type(error).__name__}: {printable(str(error))[:200]}") from None
        if refused:  # some got it; a second try would tell those again
            raise MessageRejected(f"delivered, but not to {', '.join(sorted(refused))}")

    def _connect(self) -> smtplib.SMTP:
        target = self._target
        if target.security is Security.TLS:
            return smtplib.SMTP_SSL(target.server, target.port, timeout=_STEP_S, context=self._context())
        server = smtplib.SMTP(target.server, target.port, timeout=_STEP_S)
        if target.security is Security.STARTTLS:
            try:
                server.starttls(context=self._context())
            except BaseException:
                server.close()
                raise
        return server


def mail_of(message: Message, target: Email, site: Site) -> EmailMessage:
    """The mail of a message. Message-ID is made of the message's id, so that a mail program shows a repetition once."""
    mail = EmailMessage()
    name = site.name.zh if target.language is Language.ZH else site.name.en
    mail["Subject"] = printable(message.title)
    mail["From"] = formataddr((printable(name), target.sender))
    mail["To"] = ", ".join(target.to)
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.made_s, UTC))
    mail["Message-ID"] = f"<{message.id}@{target.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.severity <= 2:
        mail["X-Priority"] = "1"
        mail["Importance"] = "high"
    lines = [message.title, "", *message.lines]
    if message.link:
        lines += ["", _PAGE[target.language] + message.link]
    mail.set_content("\n".join(lines) + "\n")
    return mail


def _of_code(code: int, sentence: str) -> Exception:
    """A 5yz answer is for good, a 4yz one for now (RFC 5321 §4.2.1); 421 closes the connection."""
    if code == 421:
        return TargetDown(sentence)
    return MessageRejected(sentence) if 500 <= code < 600 else MessageRefused(sentence)


def _said(text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return printable(" ".join(said.split()))[:200]
