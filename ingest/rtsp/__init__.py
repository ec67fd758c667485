"""RTSP, SDP, RTP and H.264/H.265 over RTP without I/O: bytes in, values out.

In: what a camera sends, in any chunks. Out: access units and the bytes to send. Nothing here reads a clock, a socket or a file,
and nothing raises anything but `SourceError`. Read `session.py` first.
"""

from ingest.rtsp.message import MessageParser
from ingest.rtsp.nal import AccessUnit, Depacketizer
from ingest.rtsp.rtp import RtpReceiver
from ingest.rtsp.sdp import SessionDescription, parse_sdp
from ingest.rtsp.session import RtspSession

__all__ = ["AccessUnit", "Depacketizer", "MessageParser", "RtpReceiver", "RtspSession", "SessionDescription", "parse_sdp"]
