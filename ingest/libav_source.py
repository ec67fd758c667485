"""Files, HTTP and RTMP through FFmpeg, behind the same protocol as our own client: a thread reads into a bounded queue."""

import logging
import queue
import threading
from collections.abc import Sequence
from urllib.parse import quote

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

from base.clock import Clock
from base.errors import AuthError, ConnectError, ProtocolError, SourceError, StreamEnded
from base.records import Codec, Packet
from ingest.rtsp.nal import MAX_PIXELS, START_CODE, check_size
from ingest.run import Settled
from ingest.source import Feed, Phase, StreamFacts
from ingest.standing import Brought
from ingest.timeline import MEDIA_HZ, Timeline

__all__ = ["LibavSource", "open_container"]

logger = logging.getLogger(__name__)

_QUEUE_PACKETS = 256
_QUEUE_BYTES = 8 * 2**20  # twice the largest access unit of our own client
_OPEN_S, _READ_S = 10.0, 10.0  # FFmpeg's own time-outs; the camera's deadlines are the reader's
_CODECS = {"h264": Codec.H264, "hevc": Codec.H265, "mjpeg": Codec.MJPEG}
_FILTERS = {Codec.H264: "h264_mp4toannexb", Codec.H265: "hevc_mp4toannexb"}
# Nested protocols are what made FFmpeg read local files on behalf of a playlist: each scheme gets what it needs, no more.
_PROTOCOLS = {
    "http": "http,tcp",
    "https": "https,tcp,tls",
    "rtmp": "rtmp,tcp",
    "file": "file",
}
# FFmpeg follows a 30x of an RTSP server to any host and signs in there, and has no option against it (libavformat 62).
_REFUSED = ("rtsp", "rtsps")
# Over HTTP no playlists (HLS, DASH): their segments may lie at any host, and FFmpeg would ask there.
_WEB_FORMATS = "mpjpeg,mjpeg,jpeg_pipe,mpegts,mpeg,mov,mp4,matroska,webm,flv,avi,ogg,h264,hevc"
_WEB = {"max_redirects": "0", "format_whitelist": _WEB_FORMATS}


def open_container(feed: Feed) -> InputContainer:
    """Open a URL or path for demuxing; raises SourceError without credentials in its text. Blocks.

    Only the host that was configured is asked: redirects and playlists are refused, and so are rtsp and rtsps, where FFmpeg
    cannot be kept from following. Pictures beyond `check_size` are refused, if possible before FFmpeg decodes one.
    """
    scheme = feed.url.partition("://")[0].lower() if "://" in feed.url else "file"
    if scheme in _REFUSED:
        raise ConnectError(f"{feed.where}: {scheme} is read by our own client only: FFmpeg would follow a redirect to any host")
    if scheme not in _PROTOCOLS:
        raise ConnectError(f"scheme {scheme!r} is not read; allowed are {', '.join(sorted(_PROTOCOLS))}")
    options = {"protocol_whitelist": f"{scheme},{_PROTOCOLS[scheme]}", "max_pixels": str(MAX_PIXELS)}
    url = feed.url if scheme != "file" else feed.url.removeprefix("file://")
    if scheme in ("http", "https"):
        options |= _WEB
    if feed.user and scheme != "file":
        url = _with_credentials(feed)
    try:
        container = av.open(url, options=options, timeout=(_OPEN_S, _READ_S))
    except av.error.HTTPUnauthorizedError:
        raise AuthError(f"{feed.where}: the camera refuses the password of user {feed.user!r} (401)") from None
    except (av.error.FFmpegError, OSError) as error:
        raise ConnectError(f"{feed.where}: {error.strerror or 'cannot be opened'}") from None
    try:
        _check_sizes(feed, container)
    except ProtocolError:
        container.close()
        raise
    return container


def _check_sizes(feed: Feed, container: InputContainer) -> None:
    """Raises ProtocolError for a picture no camera of ours has, or of which FFmpeg could not find out the size."""
    for stream in container.streams.video[:1]:
        try:
            check_size(stream.width or 0, stream.height or 0)
        except ProtocolError as error:
            raise ProtocolError(f"{feed.where}: {error}") from None
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}


def _with_credentials(feed: Feed) -> str:
    """The URL as FFmpeg wants it. Never logged: errors are told with `feed.where`."""
    scheme, _, rest = feed.url.partition("://")
    return f"{scheme}://{quote(feed.user, safe='')}:{quote(feed.password, safe='')}@{rest}"


class LibavSource:
    """Files, HTTP and RTMP; not RTSP, for which there is `RtspSource`.

    Owned by the reader thread; its demuxing thread `demux-<camera>` blocks while 256 packets or 8 MiB wait, which holds the
    sender up. A file plays at its own speed and then ends. H.264 and H.265 come out as Annex B.
    """

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self._feed, self._clock = feed, clock
        self._facts = StreamFacts()
        self._stop = threading.Event()
        self._queue: queue.Queue[tuple[int, bool, bytes] | SourceError | StreamFacts] = queue.Queue(_QUEUE_PACKETS)
        self._bytes_in = self._bytes_out = 0  # of packets; each is written by one thread, demuxing and reader
        self._taken = threading.Event()
        self._timeline = Timeline()
        self._thread: threading.Thread | None = None

    @property
    def facts(self) -> StreamFacts:
        return self._facts

    @property
    def buffer_bytes(self) -> int:
        return 0  # its thread empties the kernel's buffer as fast as media comes

    @property
    def received_bytes(self) -> int:
        return self._bytes_out

    @property
    def position(self) -> str:
        return f"byte {self._bytes_out} of media" if self._bytes_out else ""

    def open(self) -> None:
        self._facts = StreamFacts(Phase.CONNECTING, peer=self._feed.where)
        self._thread = threading.Thread(target=self._demux, name=f"demux-{self._feed.camera}", daemon=True)
        self._thread.start()

    def sweep(self, now_s: float) -> list[Packet]:
        found: list[tuple[int, bool, bytes]] = []
        failure: SourceError | None = None
        while failure is None:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if isinstance(item, StreamFacts):
                self._facts = item
            elif isinstance(item, SourceError):
                failure = item
            else:
                found.append(item)
                self._bytes_out += len(item[2])
                self._taken.set()
        if failure is not None:
            if not found:
                raise failure
            self._queue.put(failure)  # the packets first; the thread is done, so there is room
        if not found:
            return []
        placed = self._timeline.place([pts & 0xFFFF_FFFF for pts, _, _ in found], now_s)
        camera, codec = self._feed.camera, self._facts.codec
        return [
            Packet(camera, time_s, pts, is_key, data, codec)
            for (_, is_key, data), (pts, time_s) in zip(found, placed, strict=True)
        ]

    def calm(self) -> None:
        """Nothing is gained by it: its thread makes the packets."""

    def take(self, brought: Brought) -> Sequence[Settled]:
        return ()

    def close(self) -> None:
        """Returns at once; the thread ends with its current read, within FFmpeg's time-out."""
        self._stop.set()
        self._facts = StreamFacts(Phase.CLOSED, peer=self._feed.where)

    def _demux(self) -> None:
        """Thread body: everything that blocks."""
        try:
            with open_container(self._feed) as container:
                if not container.streams.video:
                    raise ConnectError(f"{self._feed.where}: no video in it")
                self._play(container, container.streams.video[0])
            raise StreamEnded(f"{self._feed.where}: ended")
        except SourceError as error:
            self._put(error)
        except (av.error.FFmpegError, OSError) as error:
            self._put(StreamEnded(f"{self._feed.where}: {error.strerror or 'cannot be read on'}"))
        except Exception as error:
            logger.exception("demuxing %s", self._feed)
            self._put(StreamEnded(f"{self._feed.where}: {type(error).__name__}"))

    def _play(self, container: InputContainer, stream: VideoStream) -> None:
        codec = _CODECS.get(stream.codec_context.name, Codec.OTHER)
        facts = StreamFacts(
            Phase.STARTING, codec, stream.width or 0, stream.height or 0, str(stream.profile or ""), self._feed.where
        )
        self._put(facts)
        annex_b = BitStreamFilterContext(_FILTERS[codec], stream) if codec in _FILTERS else None
        sets = _annex_b_sets(stream.codec_context.extradata)
        local = "://" not in self._feed.url or self._feed.url.startswith("file:")
        began_s = self._clock.monotonic_s()
        first: int | None = None
        playing = False
        for demuxed in container.demux(stream):
            if self._stop.is_set():
                return
            for packet in annex_b.filter(demuxed) if annex_b is not None and demuxed.size else [demuxed]:
                if not packet.size or packet.time_base is None:
                    continue
                moment = packet.pts if packet.pts is not None else packet.dts
                pts = int((moment or 0) * packet.time_base * MEDIA_HZ)
                data = bytes(packet)
                if packet.is_keyframe and sets and sets not in data:
                    data = sets + data
                if packet.is_keyframe and not playing:
                    playing = True
                    self._put(StreamFacts(Phase.STREAMING, codec, facts.width_px, facts.height_px, facts.profile, facts.peer))
                first = pts if first is None else first
                if local:
                    self._clock.wait(self._stop, began_s + (pts - first) / MEDIA_HZ - self._clock.monotonic_s())
                self._put_packet(pts, bool(packet.is_keyframe), data)

    def _put_packet(self, pts: int, is_key: bool, data: bytes) -> None:
        """Waits for room by bytes, then by count."""
        if len(data) > _QUEUE_BYTES:
            raise ProtocolError(f"{self._feed.where}: a packet of {len(data)} bytes; expected at most {_QUEUE_BYTES}")
        while self._bytes_in - self._bytes_out + len(data) > _QUEUE_BYTES:
            if self._stop.is_set():
                return
            self._taken.wait(0.2)
            self._taken.clear()
        self._bytes_in += len(data)
        self._put((pts, is_key, data))

    def _put(self, item: tuple[int, bool, bytes] | SourceError | StreamFacts) -> None:
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
        return None


def _annex_b_sets(extradata: bytes | None) -> bytes:
    """Parameter sets from outside the stream if they already are Annex B: the bitstream filter then adds none to key frames."""
    return extradata if extradata and (extradata.startswith((START_CODE, START_CODE[1:]))) else b""
