"""GStreamer's RTSP server as an independent peer. Run with the system's Python, which has its bindings:

    /usr/bin/python3 tests/servers/gst_rtsp.py [--codec h264|h265] [--auth none|basic|digest] [--protocol any|tcp|udp]
                                               [--tls CERTIFICATE] [--srtp] [--audio] [--file CLIP ...]

CERTIFICATE is a PEM file with key and certificate. Prints one line `port NUMBER` when it is ready and serves
rtsp://127.0.0.1:NUMBER/cam (or /0, /1, … for each --file) until its standard input closes. Exit 3 with a sentence if GStreamer,
its server or a plug-in is missing. Uses nothing of this project.
"""

import argparse
import os
import sys

USER, PASSWORD = "operator", "s3cret:word"
TUNED = "tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=400"
ENCODERS = {
    "h264": f"x264enc {TUNED} ! video/x-h264,profile=baseline ! rtph264pay",
    "h265": f"x265enc {TUNED} ! rtph265pay",
}
NEEDS = {"h264": ("x264enc", "rtph264pay"), "h265": ("x265enc", "rtph265pay")}
PROTOCOLS = {"any": "", "tcp": "TCP", "udp": "UDP"}
RAW = "video/x-raw,format=I420,width=640,height=360,framerate=15/1"


def fail(sentence: str) -> None:
    print(sentence, flush=True)
    sys.exit(3)


try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer
except (ImportError, ValueError) as error:
    fail(f"no GStreamer RTSP server: {error}")


def launch(codec: str, audio: bool, path: str) -> str:
    """The pipeline of one mount, in gst-launch's language."""
    source = f"videotestsrc is-live=true pattern=ball ! {RAW}"
    if path:
        source = f'filesrc location="{path}" ! decodebin ! videoconvert ! videoscale ! videorate ! {RAW}'
    sound = " audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay1 pt=8" if audio else ""
    return f"( {source} ! {ENCODERS[codec]} name=pay0 pt=96{sound} )"


def permissions(auth: str, tls: str, factory: "GstRtspServer.RTSPMediaFactory") -> "GstRtspServer.RTSPAuth":
    """Let only our user in, by the method asked for, or anybody; over TLS if there is a certificate."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    guard = GstRtspServer.RTSPAuth()
    if tls:
        if not Gio.TlsBackend.get_default().supports_tls():
            fail("GLib has no TLS")
        guard.set_tls_certificate(Gio.TlsCertificate.new_from_file(tls))
    if auth == "none":
        guard.set_default_token(token)
    elif auth == "basic":
        guard.add_basic(GstRtspServer.RTSPAuth.make_basic(USER, PASSWORD), token)
    else:
        guard.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        guard.add_digest(USER, PASSWORD, token)
    factory.add_role_from_structure(
        Gst.Structure.from_string("user, media.factory.access=(boolean)true, media.factory.construct=(boolean)true")[0]
    )
    return guard


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--codec", choices=sorted(ENCODERS), default="h264")
    parser.add_argument("--auth", choices=["none", "basic", "digest"], default="none")
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), default="any")
    parser.add_argument("--tls", default="")
    parser.add_argument("--srtp", action="store_true")
    parser.add_argument("--audio", action="store_true")
    parser.add_argument("--file", action="append", default=[])
    arguments = parser.parse_args()
    Gst.init(None)
    for name in NEEDS[arguments.codec]:
        if Gst.ElementFactory.find(name) is None:
            fail(f"GStreamer has no {name}")
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for index, path in enumerate(arguments.file or [""]):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch(arguments.codec, arguments.audio, os.path.abspath(path) if path else ""))
        factory.set_shared(True)
        if PROTOCOLS[arguments.protocol]:
            factory.set_protocols(getattr(GstRtsp.RTSPLowerTrans, PROTOCOLS[arguments.protocol]))
        if arguments.srtp:
            factory.set_profiles(GstRtsp.RTSPProfile.SAVP)
        if arguments.auth != "none" or arguments.tls:
            server.set_auth(permissions(arguments.auth, arguments.tls, factory))
        server.get_mount_points().add_factory(f"/{index}" if path else "/cam", factory)
    loop = GLib.MainLoop()
    server.attach(None)
    GLib.io_add_watch(
        sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP | GLib.IOCondition.IN, lambda *_: loop.quit()
    )
    print(f"port {server.get_bound_port()}", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
