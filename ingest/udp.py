"""The two UDP sockets of a camera whose pictures do not come over TCP."""

import contextlib
import socket
from collections.abc import Iterator

from base.errors import ConnectError

__all__ = ["UdpPair"]

_BUFFER_BYTES = 2 * 2**20  # asked for; Linux gives at most net.core.rmem_max
_DATAGRAM_BYTES = 64 * 1024
_MOST_DATAGRAMS = 1024  # a sweep: 10 MB/s of full datagrams in the quiet lane, so that a flood cannot hold up other cameras
_MOST_TRIES = 64


class UdpPair:
    """A socket for RTP at an even port and one for RTCP at the next (RFC 3550 §11). Owned by the reader thread; nothing blocks.

    Only what comes from the camera's own address is read. Once `aim` knows the camera's ports, the kernel lets nothing else in;
    a camera that does not tell its ports is known by its address alone.
    """

    def __init__(self, local_ip: str, camera_ip: str) -> None:
        """Bind to `local_ip`. Raises ConnectError if there is no free pair of ports."""
        self._camera_ip = camera_ip
        self.is_aimed = False
        self._rtp, self._rtcp = _bound_pair(local_ip)

    @property
    def port(self) -> int:
        """Our port for RTP; RTCP has the next."""
        return int(self._rtp.getsockname()[1])

    @property
    def buffer_bytes(self) -> int:
        """Room in the kernel for datagrams. Linux counts its own overhead too, about as much again as video."""
        return self._rtp.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2

    def aim(self, rtp_port: int, rtcp_port: int) -> None:
        """The camera sends from these ports; what came before is thrown away, it may be anybody's. Raises ConnectError."""
        try:
            self._rtp.connect((self._camera_ip, rtp_port))
            self._rtcp.connect((self._camera_ip, rtcp_port))
        except OSError as error:
            raise ConnectError(f"{self._camera_ip}: UDP ports {rtp_port} and {rtcp_port}: {error.strerror}") from None
        for socket_ in (self._rtp, self._rtcp):
            for _ in _received(socket_):
                pass
        self.is_aimed = True

    def punch(self, rtp: bytes) -> None:
        """Send a packet to the camera's RTP port, so that firewalls on the way expect its answers."""
        if self.is_aimed:
            with contextlib.suppress(OSError):
                self._rtp.send(rtp)

    def send_rtcp(self, data: bytes) -> None:
        """Send a report; one that is lost is no loss."""
        if self.is_aimed:
            with contextlib.suppress(OSError):
                self._rtcp.send(data)

    def read(self) -> tuple[list[bytes], list[bytes]]:
        """Datagrams of RTP and of RTCP that have arrived, at most 1,024 each."""
        if self.is_aimed:
            return list(_received(self._rtp)), list(_received(self._rtcp))
        return self._of_camera(self._rtp), self._of_camera(self._rtcp)

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()

    def _of_camera(self, socket_: socket.socket) -> list[bytes]:
        datagrams = []
        for _ in range(_MOST_DATAGRAMS):
            try:
                data, sender = socket_.recvfrom(_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue
            if sender[0] == self._camera_ip:
                datagrams.append(data)
        return datagrams


def _received(socket_: socket.socket) -> Iterator[bytes]:
    recv = socket_.recv
    for _ in range(_MOST_DATAGRAMS):
        try:
            yield recv(_DATAGRAM_BYTES)
        except BlockingIOError:
            return
        except OSError:  # "connection refused": the camera's port was closed when something of ours came there
            continue


def _bound_pair(ip: str) -> tuple[socket.socket, socket.socket]:
    for _ in range(_MOST_TRIES):
        rtp, rtcp = _udp_socket(ip), _udp_socket(ip)
        with contextlib.suppress(OSError):
            rtp.bind((ip, 0))
            port = rtp.getsockname()[1]
            if port % 2 == 0:
                rtcp.bind((ip, port + 1))
                return rtp, rtcp
        rtp.close()
        rtcp.close()
    raise ConnectError(f"{ip}: no two neighbouring UDP ports are free")


def _udp_socket(ip: str) -> socket.socket:
    new = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    new.setblocking(False)
    new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return new
