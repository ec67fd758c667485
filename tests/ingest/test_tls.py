"""RTSP over TLS: whose certificate is trusted, and that nobody else hears a word of ours."""

import datetime
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from base import ConnectError, Packet, SourceError, StreamEnded, SystemClock, Transport
from ingest import Feed, Phase, RtspSource, connection, governor
from ingest.connection import TlsConnection
from ingest.rtsp_source import Resolver
from tests.ingest.conftest import GOP, Clip, Until
from tests.ingest.test_reader import PASSWORD, USER
from tests.servers.rtsp import RtspServer, Script

SECRET = Script(auth="MD5")


@dataclass(frozen=True)
class Certificate:
    path: Path
    sha256: str

    @property
    def server_side(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


def self_signed(folder: Path, address: str, days: int = 1) -> Certificate:
    """Valid for an IP address from yesterday for some days, key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "IP Camera")])
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1, minutes=5)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(yesterday)
        .not_valid_after(yesterday + datetime.timedelta(days=1 + days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{address}_{days}.pem"
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return Certificate(path, certificate.fingerprint(hashes.SHA256()).hex())


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("own"), "127.0.0.1")


def error_of(url: str, until: Until, pin: str = "", transport: Transport = Transport.TCP) -> str:
    """How opening a camera fails; empty if media comes."""
    clock = SystemClock()
    source = RtspSource(Feed("c1", url, USER, PASSWORD, transport, pin), clock, Resolver())
    source.open()
    try:
        assert until(lambda: bool(source.sweep(clock.now_s())), 5)
    except SourceError as error:
        return str(error)
    finally:
        source.close()
    return ""


def test_a_pinned_certificate_leads_to_media(clip: Clip, until: Until, own: Certificate) -> None:
    clock, packets = SystemClock(), list[Packet]()
    with RtspServer(clip, SECRET, frames_per_s=100, tls=own.server_side) as server:
        source = RtspSource(Feed("c1", server.url(), USER, PASSWORD, certificate_sha256=own.sha256), clock, Resolver())
        source.open()

        def enough() -> bool:
            packets.extend(source.sweep(clock.now_s()))
            return len(packets) > 20 * GOP

        assert until(enough, 10)
        assert (source.facts.phase, source.facts.transport) == (Phase.STREAMING, "tls")
        assert sum(packet.lost for packet in packets) == 0 and server.seen.authorized > 0
        source.close()
        assert until(lambda: server.seen.teardowns == 1, 5)


def test_an_unknown_certificate_is_refused_and_its_fingerprint_named(clip: Clip, until: Until, own: Certificate) -> None:
    with RtspServer(clip, SECRET, tls=own.server_side) as server:
        error = error_of(server.url(), until)
        assert error.startswith(f"127.0.0.1:{server.port}: its certificate is not trusted: self")
        assert error.endswith(f"set the camera's certificate_sha256 to {own.sha256}")
        assert server.seen.methods == []  # not a word was said


def test_another_certificate_than_the_pinned_one_is_refused(clip: Clip, until: Until, own: Certificate) -> None:
    with RtspServer(clip, SECRET, tls=own.server_side) as server:
        assert f"shows a certificate with SHA-256 {own.sha256}; certificate_sha256 is {'ab' * 32}" in error_of(
            server.url(), until, "ab" * 32
        )
        assert server.seen.methods == []


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this system trusts is read anew from SSL_CERT_FILE, in this test only."""
    connection._trusting_authorities.cache_clear()
    monkeypatch.setattr(connection, "_trusting_authorities", connection._trusting_authorities.__wrapped__)


@pytest.mark.usefixtures("trusting")
def test_a_certificate_that_the_system_trusts_needs_no_pin(
    clip: Clip, until: Until, own: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(own.path))
    with RtspServer(clip, SECRET, frames_per_s=60, tls=own.server_side) as server:
        assert error_of(server.url(), until) == ""
    elsewhere, expired = self_signed(tmp_path, "192.0.2.9"), self_signed(tmp_path, "127.0.0.1", days=0)
    for certificate, says in ((elsewhere, "IP address mismatch"), (expired, "certificate has expired")):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
        with RtspServer(clip, SECRET, frames_per_s=60, tls=certificate.server_side) as server:
            assert says in error_of(server.url(), until) and server.seen.methods == []
            assert error_of(server.url(), until, certificate.sha256) == ""  # pinned, neither name nor date matters


def test_a_camera_that_speaks_no_tls(until: Until) -> None:
    clock = SystemClock()
    with socket.create_server(("127.0.0.1", 0)) as camera:
        port = camera.getsockname()[1]
        source = RtspSource(Feed("c1", f"rtsps://127.0.0.1:{port}/x", USER, PASSWORD), clock, Resolver())
        source.open()
        with camera.accept()[0] as connected:
            connected.setblocking(False)
            for _ in range(5):
                assert source.sweep(clock.now_s()) == []
            assert source.facts.phase is Phase.CONNECTING  # for its deadline to end
            assert connected.recv(4096).startswith(b"\x16\x03")  # TLS, not RTSP
            connected.sendall(b"RTSP/1.0 400 Bad Request\r\n\r\n")
            with pytest.raises(ConnectError, match=f"127.0.0.1:{port}: the TLS handshake failed: [A-Z]"):
                until(lambda: bool(source.sweep(clock.now_s())), 5)
        source.close()


def test_pictures_of_an_rtsps_camera_never_go_by_udp(clip: Clip, until: Until, own: Certificate) -> None:
    for script, transport in ((SECRET, Transport.UDP), (Script(auth="MD5", refuses=("tcp",)), Transport.TCP)):
        with RtspServer(clip, script, tls=own.server_side) as server:
            assert "would not be encrypted, refused" in error_of(server.url(), until, own.sha256, transport)
            assert not any("client_port" in asked for asked in server.seen.transports)


def test_a_fast_stream_and_its_end(clip: Clip, until: Until, own: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sends more than a sweep reads; what OpenSSL holds back is read without new bytes from the network."""
    monkeypatch.setattr(governor, "PICTURES_PER_S", 1_000_000)
    clock, packets = SystemClock(), list[Packet]()
    with RtspServer(clip, frames_per_s=2000, tls=own.server_side) as server:
        source = RtspSource(Feed("c1", server.url(), certificate_sha256=own.sha256), clock, Resolver())
        source.open()

        def has(count: int) -> bool:
            packets.extend(source.sweep(clock.now_s()))
            return len(packets) > count

        assert until(lambda: has(3000), 15) and not any(packet.lost for packet in packets)
        server.drop_all()
        with pytest.raises(StreamEnded, match=f"127.0.0.1:{server.port}: "):
            until(lambda: has(10**9), 5)
        source.close()


class Records:
    """What OpenSSL has decrypted: one record at each recv."""

    def __init__(self, count: int) -> None:
        self.left = count

    def recv(self, most: int) -> bytes:
        if not self.left:
            raise ssl.SSLWantReadError
        self.left -= 1
        return bytes(min(most, 1000))

    def recv_into(self, room: memoryview) -> int:
        return len(self.recv(len(room)))

    def close(self) -> None: ...


def test_many_small_records_are_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cameras write a record for each RTP packet; sixteen of them each 0.2 s would be less than a megabit a second."""
    monkeypatch.setattr(TlsConnection, "_connecting", lambda self: Records(100))
    one = TlsConnection("127.0.0.1", 322, "127.0.0.1", "")
    assert [len(one.read()) for _ in range(3)] == [64_000, 36_000, 0]
