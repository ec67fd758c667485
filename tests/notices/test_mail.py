"""E-mail against a real SMTP server: plain, STARTTLS and TLS, logins, refusals, what the mail says."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from base import SimulatedClock
from camera_config.notification_rules import Email, Language, Security
from camera_config.site import Credential, Site
from fleet.notices import Delivery, MessageRefused, MessageRejected, TargetDown
from fleet.notices.mail import MailSender
from patrol.notice_words import Message
from storage import MessageState, Store
from tests.notices.stage import one_turn, site_with, states
from tests.patrol.small_site import NOON_S, intrusion

Open = Callable[[Site], Store]

# aiosmtpd does not count TLS from the first byte.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

MESSAGE = Message("0" * 36, "all", NOON_S, "opened", 1, False, "题", ("一",), 1, "", "", ())
USER, PASSWORD = "grid", "canary-mail-3a"


@dataclass
class Postbox:
    """What the server took, and what it answers to a recipient and to a mail."""

    mails: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    on_recipient: dict[str, str] = field(default_factory=dict)
    on_mail: str = "250 taken"

    async def handle_RCPT(  # noqa: N802  as aiosmtpd calls it
        self, server: object, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.on_recipient:
            return self.on_recipient[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802  likewise
        if self.on_mail.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, EmailMessage, policy=policy.default))
            self.to.append(envelope.rcpt_tos)
        return self.on_mail


@dataclass
class Server:
    port: int
    box: Postbox
    trust: Callable[[], ssl.SSLContext]  # a context that trusts its certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def serve(certificate: tuple[Path, Path]) -> Iterator[Callable[[Security], Server]]:
    """Starts SMTP servers on ephemeral ports; those with TLS want a login."""
    running: list[Controller] = []

    def authenticate(server: object, session: object, envelope: object, mechanism: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    def start(security: Security) -> Server:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        box = Postbox()
        login = {} if security is Security.NONE else {"authenticator": authenticate, "auth_required": True}
        controller = Controller(
            box,
            hostname="127.0.0.1",
            port=_free_port(),
            ssl_context=context if security is Security.TLS else None,
            tls_context=context if security is Security.STARTTLS else None,
            auth_require_tls=security is Security.STARTTLS,
            **login,  # type: ignore[arg-type]  # of different types
        )
        controller.start()
        running.append(controller)
        return Server(controller.port, box, lambda: ssl.create_default_context(cafile=str(certificate[0])))

    yield start
    for controller in running:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def mailer(server: Server, security: Security, *to: str, password: str = PASSWORD, port: int = 0) -> tuple[Site, MailSender]:
    login = Credential("mail", USER, password) if security is not Security.NONE else None
    target = Email("all", to or ("secretary@example.org",), "grid@example.org", "127.0.0.1", port or server.port, security)
    site = site_with(target)
    return site, MailSender(target, login, site, server.trust)


def told(site: Site, store: Store, sender: MailSender, clock: SimulatedClock, language: Language = Language.ZH) -> None:
    store.record_events([intrusion(severity=1)])
    asyncio.run(one_turn(Delivery(store.outgoing, {"all": (sender, language)}, clock)))


@pytest.mark.parametrize("security", Security)
def test_a_mail_arrives_and_says_what_happened(
    serve: Callable[[Security], Server], open_store: Open, clock: SimulatedClock, security: Security
) -> None:
    server = serve(security)
    site, sender = mailer(server, security, "secretary@example.org", "duty@example.org")
    store = open_store(site)
    told(site, store, sender, clock)
    [mail] = server.box.mails
    [stored] = store.outgoing.messages()
    assert stored.state is MessageState.DELIVERED
    assert server.box.to == [["secretary@example.org", "duty@example.org"]]
    assert mail["Subject"] == "新案卷 1：区域入侵（一级）"
    assert mail["From"] == "柳河街道 <grid@example.org>"
    assert mail["Message-ID"] == f"<{stored.message.id}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    text = mail.get_content()
    lines = ["新案卷 1：区域入侵（一级）", "", "一号院 · g1网格 · c1", "2023-11-15 12:00:00", ""]
    assert text == "\n".join([*lines, f"打开：https://grid.example.org/#incident={stored.message.incident}", ""])


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(serve: Callable[[Security], Server]) -> None:
    server = serve(Security.STARTTLS)
    server.trust = ssl.create_default_context
    _, sender = mailer(server, Security.STARTTLS)
    with pytest.raises(TargetDown, match="CERTIFICATE_VERIFY_FAILED"):
        asyncio.run(sender.send(MESSAGE))
    assert server.box.mails == []


def test_a_server_without_starttls_gets_neither_login_nor_mail(serve: Callable[[Security], Server]) -> None:
    server = serve(Security.NONE)
    _, sender = mailer(server, Security.STARTTLS)
    with pytest.raises(TargetDown, match="STARTTLS"):
        asyncio.run(sender.send(MESSAGE))


def test_a_wrong_password_is_said_without_the_password(serve: Callable[[Security], Server]) -> None:
    server = serve(Security.TLS)
    _, sender = mailer(server, Security.TLS, password="wrong-canary")
    with pytest.raises(TargetDown, match="does not accept the login: 535") as raised:
        asyncio.run(sender.send(MESSAGE))
    assert "canary" not in str(raised.value)


def test_how_a_mail_server_refuses(serve: Callable[[Security], Server]) -> None:
    server = serve(Security.NONE)
    _, sender = mailer(server, Security.NONE, "a@example.org", "b@example.org")
    server.box.on_mail = "451 later"
    with pytest.raises(MessageRefused, match="451 later"):
        asyncio.run(sender.send(MESSAGE))
    server.box.on_mail = "554 never"
    with pytest.raises(MessageRejected, match="554 never"):
        asyncio.run(sender.send(MESSAGE))
    server.box.on_mail = "250 taken"
    server.box.on_recipient = {"a@example.org": "550 nobody of that name"}
    with pytest.raises(MessageRejected, match=r"delivered, but not to a@example\.org"):
        asyncio.run(sender.send(MESSAGE))
    assert server.box.to == [["b@example.org"]]
    server.box.on_recipient["b@example.org"] = "450 mailbox busy"
    server.box.on_recipient["a@example.org"] = "450 mailbox busy"
    with pytest.raises(MessageRefused, match="mailbox busy"):
        asyncio.run(sender.send(MESSAGE))


def test_no_mail_server(serve: Callable[[Security], Server], open_store: Open, clock: SimulatedClock) -> None:
    server = serve(Security.NONE)
    site, sender = mailer(server, Security.NONE, port=_free_port())
    store = open_store(site)
    told(site, store, sender, clock)
    assert states(store) == {MessageState.WAITING: 1}
    assert "Refused" in store.outgoing.messages()[0].error
