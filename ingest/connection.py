"""A non-blocking byte stream to a camera: plain TCP, or TLS whose certificate is checked before a byte of RTSP is sent."""

import errno
import functools
import hashlib
import os
import socket
import ssl
import threading

from base.errors import ConnectError, StreamEnded

__all__ = ["READ_BYTES", "Connection", "TlsConnection"]

_MOST_RECORDS = 64  # of TLS in one read; cameras write one for each RTP packet
READ_BYTES = 64 * 1024  # 200 ms of a stream of 2.6 Mbit/s


class _Room(threading.local):
    """Where a thread's reads go first: what is kept of them is then as large as what came, and malloc need not cut it to size."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(READ_BYTES))


_room = _Room()


class Connection:
    """Plain TCP. Owned by the reader thread; nothing blocks.

    Made with an IP address; call `is_ready` until it is true, then `read` and `send`. `peer` is how errors name the camera.
    """

    has_more = False  # the last read may have left something
    _not_now: tuple[type[OSError], ...] = (BlockingIOError,)

    def __init__(self, ip: str, port: int) -> None:
        """Begin to connect; raises ConnectError if that fails at once."""
        self.ip, self.peer = ip, f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
        self._port = port
        self._socket = self._connecting()

    @property
    def local_ip(self) -> str:
        """Our own address on this connection."""
        return str(self._socket.getsockname()[0])

    @property
    def buffer_bytes(self) -> int:
        """Room for what has arrived; half of what the kernel names is its own bookkeeping (tcp(7), tcp_adv_win_scale)."""
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2

    def is_ready(self) -> bool:
        """Whether bytes may flow; raises ConnectError if they never will."""
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise ConnectError(f"{self.peer}: {os.strerror(code)}")
        try:
            self._socket.getpeername()
        except OSError:
            return False  # not yet
        return True

    def read(self) -> bytes:
        """What has arrived, at most 64 KiB; empty if nothing. Raises StreamEnded."""
        view = _room.view
        return bytes(view[: self.read_into(view)])

    def read_into(self, view: memoryview) -> int:
        """As `read`, into a view of 64 KiB; how many bytes."""
        try:
            size = self._socket.recv_into(view)
        except self._not_now:
            self.has_more = False
            return 0
        except OSError as error:
            raise StreamEnded(f"{self.peer}: {_reason(error)}") from None
        if not size:
            raise StreamEnded(f"{self.peer}: the camera closed the connection")
        self.has_more = size == READ_BYTES
        return size

    def send(self, data: bytes) -> int:
        """How many bytes of `data` were taken; the rest must be offered again. Raises StreamEnded."""
        try:
            return self._socket.send(data)
        except self._not_now:
            return 0
        except OSError as error:
            raise StreamEnded(f"{self.peer}: {_reason(error)}") from None

    def close(self) -> None:
        self._socket.close()

    def _connecting(self) -> socket.socket:
        new = socket.socket(socket.AF_INET6 if ":" in self.ip else socket.AF_INET, socket.SOCK_STREAM)
        new.setblocking(False)
        new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = new.connect_ex((self.ip, self._port))
        if code not in (0, errno.EINPROGRESS):
            new.close()
            raise ConnectError(f"{self.peer}: {os.strerror(code)}")
        return new


class TlsConnection(Connection):
    """TLS over TCP. Ready only with a certificate that we trust, so a login is never sent to anybody else.

    With a pin exactly that certificate is trusted, whatever name or date it bears; without one it must be valid for `host` by the
    authorities that this system trusts. If it is not, a second handshake learns its SHA-256, for the error to name.
    """

    _not_now = (ssl.SSLWantReadError, ssl.SSLWantWriteError)

    def __init__(self, ip: str, port: int, host: str, pin: str) -> None:
        """`pin` is the SHA-256 of the certificate in lower-case hexadecimal digits, or empty."""
        super().__init__(ip, port)
        self._host, self._pin = host, pin
        self._tls: ssl.SSLSocket | None = None
        self._distrust = ""  # why the system does not trust the certificate

    def is_ready(self) -> bool:
        if self._tls is None:
            if not super().is_ready():
                return False
            context = _trusting_a_pin() if self._pin or self._distrust else _trusting_authorities()
            self._tls = context.wrap_socket(self._socket, do_handshake_on_connect=False, server_hostname=self._host)
            self._socket = self._tls
        try:
            self._tls.do_handshake()
        except self._not_now:
            return False
        except ssl.SSLCertVerificationError as error:
            self._distrust = error.verify_message
            self.close()
            self._socket, self._tls = self._connecting(), None
            return False
        except OSError as error:
            raise ConnectError(f"{self.peer}: the TLS handshake failed: {_reason(error)}") from None
        self._check(hashlib.sha256(self._tls.getpeercert(binary_form=True) or b"").hexdigest())
        return True

    def read_into(self, view: memoryview) -> int:
        """As over TCP: OpenSSL gives one record at a time, however small."""
        size = super().read_into(view)
        if not size:
            return 0
        self.has_more = True  # more records may wait inside OpenSSL, where no select sees them
        records = 1
        while size < READ_BYTES and records < _MOST_RECORDS:
            try:
                more = self._socket.recv_into(view[size:READ_BYTES])
            except OSError:  # nothing more, or the next read will tell
                self.has_more = False
                break
            if not more:
                break
            size += more
            records += 1
        return size

    def _check(self, fingerprint: str) -> None:
        if self._distrust:
            raise ConnectError(
                f"{self.peer}: its certificate is not trusted: {self._distrust}; if it is the camera's own, set the camera's"
                f" certificate_sha256 to {fingerprint}"
            )
        if self._pin and fingerprint != self._pin:
            raise ConnectError(f"{self.peer}: shows a certificate with SHA-256 {fingerprint}; certificate_sha256 is {self._pin}")


@functools.cache
def _trusting_authorities() -> ssl.SSLContext:
    """Shared by all cameras: the list of authorities takes megabytes."""
    return ssl.create_default_context()


@functools.cache
def _trusting_a_pin() -> ssl.SSLContext:
    """OpenSSL lets any certificate pass; it is compared with the pin right after the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _reason(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or type(error).__name__
