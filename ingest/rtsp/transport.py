"""The Transport header of SETUP (RFC 2326 §12.39): what we ask for, and what the camera makes of it."""

import re

from ingest.source import UnsupportedStream

__all__ = ["INTERLEAVED", "read_channels", "read_server_ports", "read_ssrc", "udp_to"]

INTERLEAVED = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
_CHANNELS = re.compile(r"interleaved\s*=\s*(\d{1,3})(?:-(\d{1,3}))?", re.IGNORECASE)
_SSRC = re.compile(r"ssrc\s*=\s*([0-9A-F]{1,8})\b", re.IGNORECASE)
_PORTS = re.compile(r"server_port\s*=\s*(\d{1,5})(?:-(\d{1,5}))?", re.IGNORECASE)


def udp_to(port: int) -> str:
    """Ask for RTP to our UDP port `port` and RTCP to the next."""
    return f"Transport: RTP/AVP;unicast;client_port={port}-{port + 1}"


def read_channels(answer: str) -> tuple[int, int]:
    """Channels of RTP and RTCP in an answer to `INTERLEAVED`; raises UnsupportedStream."""
    channels = _CHANNELS.search(answer)
    if answer and "TCP" not in answer.upper() and not channels:  # some leave out the /TCP, but name channels
        raise UnsupportedStream(f"the camera answers SETUP with {answer[:60]!r}, not with RTP over TCP")
    rtp = int(channels[1]) if channels else 0
    return rtp, int(channels[2]) if channels and channels[2] else rtp + 1


def read_ssrc(answer: str) -> int:
    """The SSRC that the camera announces, -1 if none; not to be relied on, for some use another."""
    found = _SSRC.search(answer)
    return int(found[1], 16) if found else -1


def read_server_ports(answer: str) -> tuple[int, int] | None:
    """The camera's ports of RTP and RTCP in an answer to `udp_to`, None if it does not tell; raises UnsupportedStream.

    Its `source` and `destination` are not looked at: media comes from the host that was configured, and to us, or not at all.
    """
    if "TCP" in answer.upper() or "MULTICAST" in answer.upper():
        raise UnsupportedStream(f"the camera answers SETUP with {answer[:60]!r}, not with RTP over unicast UDP")
    ports = _PORTS.search(answer)
    rtp = int(ports[1]) if ports else 0
    rtcp = int(ports[2]) if ports and ports[2] else rtp + 1
    return (rtp, rtcp) if 0 < rtp < 65535 and 0 < rtcp <= 65535 else None
