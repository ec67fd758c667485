"""A camera that speaks ONVIF over real HTTP on 127.0.0.1, strict about what the standard asks of a client."""

import base64
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

ENVELOPE = "{http://www.w3.org/2003/05/soap-envelope}"
SECURITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
UTILITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
ADDRESSING = "{http://www.w3.org/2005/08/addressing}"
DEVICE = "{http://www.onvif.org/ver10/device/wsdl}"
MEDIA = "{http://www.onvif.org/ver10/media/wsdl}"
MEDIA2 = "{http://www.onvif.org/ver20/media/wsdl}"
EVENTS = "{http://www.onvif.org/ver10/events/wsdl}"
NOTIFICATION = "{http://docs.oasis-open.org/wsn/b-2}"
SCHEMA = "{http://www.onvif.org/ver10/schema}"

CLOCK_TOLERANCE_S = 5.0
USER, PASSWORD = "viewer", "c4mera pass"


class Refused(Exception):
    """Answered with a SOAP fault of this subcode."""


@dataclass
class Camera:
    """What the device is; tests change it as they like. `answer` takes the place of the whole answer to a request by its name."""

    media2: bool = False
    ahead_s: float = 0.0  # its clock before ours
    only_http_digest: bool = False
    gop: int = 100
    most_gop: int = 400
    fps: int = 25
    elsewhere: str = ""  # host in the addresses that it hands out; empty: its own
    answer: dict[str, bytes] = field(default_factory=dict)
    redirect: str = ""
    notices: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    told: threading.Condition = field(default_factory=threading.Condition)  # of `notices` and `gone`
    gone: bool = False  # questions that are held are answered
    kept: Element | None = None  # the configuration as the client last set it


class OnvifServer:
    """Use as a context; `port` is where it listens."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                _handle(self, camera)

            def log_message(self, *_: object) -> None:
                """Tests read `asked` instead."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self.camera.told:
            self.camera.gone = True
            self.camera.told.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handle(request: BaseHTTPRequestHandler, camera: Camera) -> None:
    data = request.rfile.read(int(request.headers["Content-Length"]))
    if camera.redirect:
        request.send_response(302)
        request.send_header("Location", camera.redirect)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    status, body = 200, b""
    try:
        assert request.headers["Content-Type"].startswith("application/soap+xml"), "ONVIF Core 5.2: SOAP 1.2 over HTTP"
        envelope = fromstring(data, forbid_dtd=True)
        assert envelope.tag == f"{ENVELOPE}Envelope"
        asked = envelope.findall(f"{ENVELOPE}Body/*")[0]
        name = asked.tag.rpartition("}")[2]
        camera.asked.append(name)
        if name != "GetSystemDateAndTime" and not _is_allowed(request, camera, envelope):
            status = 401 if camera.only_http_digest else 400
            if status == 401:
                request.send_response(401)
                request.send_header("WWW-Authenticate", 'Digest realm="camera", qop="auth", nonce="abc123", algorithm=MD5')
                request.send_header("Content-Length", "0")
                request.end_headers()
                return
            raise Refused("ter:NotAuthorized")
        body = camera.answer[name] if name in camera.answer else _envelope(_ANSWERS[asked.tag](camera, request, envelope, asked))
    except Refused as refused:
        status, body = 400, _fault(str(refused))
    except (AssertionError, KeyError, ValueError) as error:
        status, body = 500, _fault("ter:InvalidArgVal", repr(error))
    request.send_response(status)
    request.send_header("Content-Type", "application/soap+xml")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _is_allowed(request: BaseHTTPRequestHandler, camera: Camera, envelope: Element) -> bool:
    if camera.only_http_digest:
        return _digest_is_right(request)
    token = envelope.find(f"{ENVELOPE}Header/{SECURITY}Security/{SECURITY}UsernameToken")
    if token is None:
        return False
    user, password, nonce, created = (
        token.findtext(part) or ""
        for part in (f"{SECURITY}Username", f"{SECURITY}Password", f"{SECURITY}Nonce", f"{UTILITY}Created")
    )
    right = hashlib.sha1(base64.b64decode(nonce) + created.encode() + PASSWORD.encode()).digest()
    age_s = datetime.now(UTC).timestamp() + camera.ahead_s - datetime.fromisoformat(created).timestamp()
    fresh = abs(age_s) <= CLOCK_TOLERANCE_S and nonce not in camera.nonces
    camera.nonces.add(nonce)
    return user == USER and base64.b64decode(password) == right and fresh


def _digest_is_right(request: BaseHTTPRequestHandler) -> bool:
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers.get("Authorization", "")))
    if not given:
        return False
    secret = hashlib.md5(f"{USER}:camera:{PASSWORD}".encode()).hexdigest()
    what = hashlib.md5(f"POST:{given['uri']}".encode()).hexdigest()
    joined = f"{secret}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{what}"
    return (given["username"], given["response"]) == (USER, hashlib.md5(joined.encode()).hexdigest())


def _envelope(body: str) -> bytes:
    spaces = (
        'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema" '
        'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
        'xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tev="http://www.onvif.org/ver10/events/wsdl" '
        'xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:wsa="http://www.w3.org/2005/08/addressing" '
        'xmlns:tns1="http://www.onvif.org/ver10/topics" xmlns:ter="http://www.onvif.org/ver10/error"'
    )
    return f"<?xml version='1.0' encoding='utf-8'?><s:Envelope {spaces}><s:Body>{body}</s:Body></s:Envelope>".encode()


def _fault(code: str, reason: str = "Sender not authorized") -> bytes:
    reason = reason.replace("&", "").replace("<", "")
    return _envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason></s:Fault>'
    )


def _base(camera: Camera, request: BaseHTTPRequestHandler) -> str:
    return f"http://{camera.elsewhere or '127.0.0.1'}:{request.connection.getsockname()[1]}"


def _time(camera: Camera, *_: object) -> str:
    now = datetime.fromtimestamp(datetime.now(UTC).timestamp() + camera.ahead_s, UTC)
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def _services(camera: Camera, request: BaseHTTPRequestHandler, _: Element, asked: Element) -> str:
    assert asked.findtext(f"{DEVICE}IncludeCapability") == "false"
    base = _base(camera, request)
    names = [("ver10/device", "device_service"), ("ver10/media", "media"), ("ver10/events", "events")]
    names += [("ver20/media", "media2")] if camera.media2 else []
    listed = "".join(
        f"<tds:Service><tds:Namespace>http://www.onvif.org/{name}/wsdl</tds:Namespace><tds:XAddr>{base}/onvif/{path}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>42</tt:Minor></tds:Version></tds:Service>"
        for name, path in names
    )
    return f"<tds:GetServicesResponse>{listed}</tds:GetServicesResponse>"


def _information(*_: object) -> str:
    return (
        "<tds:GetDeviceInformationResponse><tds:Manufacturer>Loopback</tds:Manufacturer><tds:Model>L-1</tds:Model>"
        "<tds:FirmwareVersion>1.2</tds:FirmwareVersion><tds:SerialNumber>007</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
        "</tds:GetDeviceInformationResponse>"
    )


def _encoder1(camera: Camera, token: str, width: int, height: int) -> str:
    return (
        f"<tt:Name>{token}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
        f"<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>{camera.fps}"
        "</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>512</tt:BitrateLimit></tt:RateControl>"
        f"<tt:H264><tt:GovLength>{camera.gop}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>"
        "<tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>"
    )


def _encoder2(camera: Camera, token: str, width: int, height: int) -> str:
    return (
        f"<tt:Name>{token}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H265</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{width}</tt:Width>"
        f"<tt:Height>{height}</tt:Height></tt:Resolution>"
        f'<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>{camera.fps}.0'
        "</tt:FrameRateLimit><tt:BitrateLimit>512</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality>"
    )


def _profiles1(camera: Camera, *_: object) -> str:
    listed = "".join(
        f'<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
        f'<tt:VideoEncoderConfiguration token="enc-{token}">'
        f"{_encoder1(camera, token, width, height)}</tt:VideoEncoderConfiguration></trt:Profiles>"
        for token, width, height in (("sub", 640, 360), ("main", 1920, 1080))
    )
    silent = '<trt:Profiles token="sound"><tt:Name>no video</tt:Name></trt:Profiles>'
    return f"<trt:GetProfilesResponse>{listed}{silent}</trt:GetProfilesResponse>"


def _profiles2(camera: Camera, _: object, __: object, asked: Element) -> str:
    assert asked.findtext(f"{MEDIA2}Type") == "VideoEncoder"
    listed = "".join(
        f'<tr2:Profiles token="{token}"><tr2:Name>{token}</tr2:Name><tr2:Configurations><tr2:VideoEncoder token="enc-{token}" '
        f'GovLength="{camera.gop}" Profile="Main">{_encoder2(camera, token, width, height)}</tr2:VideoEncoder>'
        "</tr2:Configurations></tr2:Profiles>"
        for token, width, height in (("main", 2560, 1440), ("sub", 640, 360))
    )
    return f"<tr2:GetProfilesResponse>{listed}</tr2:GetProfilesResponse>"


def _stream1(camera: Camera, request: BaseHTTPRequestHandler, _: Element, asked: Element) -> str:
    assert asked.findtext(f"{MEDIA}StreamSetup/{SCHEMA}Stream") == "RTP-Unicast"
    assert asked.findtext(f"{MEDIA}StreamSetup/{SCHEMA}Transport/{SCHEMA}Protocol") == "RTSP"
    token = asked.findtext(f"{MEDIA}ProfileToken")
    host = camera.elsewhere or "127.0.0.1"
    return (
        f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://{host}:554/{token}?a=1&amp;b=2</tt:Uri><tt:InvalidAfterConnect>false"
        "</tt:InvalidAfterConnect></trt:MediaUri></trt:GetStreamUriResponse>"
    )


def _stream2(camera: Camera, request: BaseHTTPRequestHandler, _: Element, asked: Element) -> str:
    assert asked.findtext(f"{MEDIA2}Protocol") == "RTSP"
    host, token = camera.elsewhere or "127.0.0.1", asked.findtext(f"{MEDIA2}ProfileToken")
    return f"<tr2:GetStreamUriResponse><tr2:Uri>rtsp://user:pw@{host}/{token}</tr2:Uri></tr2:GetStreamUriResponse>"


def _configuration1(camera: Camera, _: object, __: object, asked: Element) -> str:
    token = asked.findtext(f"{MEDIA}ConfigurationToken")
    return (
        f'<trt:GetVideoEncoderConfigurationResponse><trt:Configuration token="{token}">{_encoder1(camera, "main", 1920, 1080)}'
        "</trt:Configuration></trt:GetVideoEncoderConfigurationResponse>"
    )


def _configuration2(camera: Camera, _: object, __: object, asked: Element) -> str:
    token = asked.findtext(f"{MEDIA2}ConfigurationToken")
    return (
        f'<tr2:GetVideoEncoderConfigurationsResponse><tr2:Configurations token="{token}" GovLength="{camera.gop}" Profile="Main">'
        f"{_encoder2(camera, 'main', 2560, 1440)}</tr2:Configurations></tr2:GetVideoEncoderConfigurationsResponse>"
    )


def _set1(camera: Camera, _: object, __: object, asked: Element) -> str:
    assert asked.findtext(f"{MEDIA}ForcePersistence") == "true"
    camera.kept = asked.find(f"{MEDIA}Configuration")
    assert camera.kept is not None and camera.kept.get("token", "").startswith("enc-")
    camera.gop = min(camera.most_gop, int(camera.kept.findtext(f"{SCHEMA}H264/{SCHEMA}GovLength") or ""))
    return "<trt:SetVideoEncoderConfigurationResponse/>"


def _set2(camera: Camera, _: object, __: object, asked: Element) -> str:
    assert asked.find(f"{MEDIA2}ForcePersistence") is None, "Media 2 has no such element"
    camera.kept = asked.find(f"{MEDIA2}Configuration")
    assert camera.kept is not None
    camera.gop = min(camera.most_gop, int(camera.kept.attrib["GovLength"]))
    return "<tr2:SetVideoEncoderConfigurationResponse/>"


def _expect_action(envelope: Element, action: str) -> None:
    assert (envelope.findtext(f"{ENVELOPE}Header/{ADDRESSING}Action") or "").endswith(action), "WS-Addressing is required here"


def _create(camera: Camera, request: BaseHTTPRequestHandler, envelope: Element, asked: Element) -> str:
    _expect_action(envelope, "/EventPortType/CreatePullPointSubscriptionRequest")
    assert re.fullmatch(r"PT\d+S", asked.findtext(f"{EVENTS}InitialTerminationTime") or "")
    return (
        f"<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>{_base(camera, request)}/onvif/pull/7"
        "</wsa:Address></tev:SubscriptionReference></tev:CreatePullPointSubscriptionResponse>"
    )


def _pull(camera: Camera, request: BaseHTTPRequestHandler, envelope: Element, asked: Element) -> str:
    _expect_action(envelope, "/PullPointSubscription/PullMessagesRequest")
    assert request.path == "/onvif/pull/7"
    assert asked.findtext(f"{EVENTS}MessageLimit")
    held_s = re.fullmatch(r"PT(\d+)S", asked.findtext(f"{EVENTS}Timeout") or "")
    assert held_s
    with camera.told:
        camera.told.wait_for(lambda: camera.notices or camera.gone, float(held_s[1]))
    told, camera.notices = "".join(camera.notices), []
    return f"<tev:PullMessagesResponse><tev:CurrentTime>2026-01-01T00:00:00Z</tev:CurrentTime>{told}</tev:PullMessagesResponse>"


def motion(active: bool, topic: str = "tns1:RuleEngine/CellMotionDetector/Motion", item: str = "IsMotion") -> str:
    """A notice as cameras tell it."""
    return (
        f"<wsnt:NotificationMessage><wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message><tt:Message UtcTime='2026-01-02T03:04:05Z' "
        "PropertyOperation='Changed'><tt:Source><tt:SimpleItem Name='VideoSourceConfigurationToken' Value='1'/></tt:Source>"
        f"<tt:Data><tt:SimpleItem Name='{item}' Value='{str(active).lower()}'/></tt:Data></tt:Message></wsnt:Message>"
        "</wsnt:NotificationMessage>"
    )


def _renew(_: object, __: object, envelope: Element, asked: Element) -> str:
    _expect_action(envelope, "/SubscriptionManager/RenewRequest")
    assert asked.findtext(f"{NOTIFICATION}TerminationTime")
    return "<wsnt:RenewResponse/>"


def _unsubscribe(_: object, __: object, envelope: Element, ___: object) -> str:
    _expect_action(envelope, "/SubscriptionManager/UnsubscribeRequest")
    return "<wsnt:UnsubscribeResponse/>"


_ANSWERS: dict[str, Callable[..., str]] = {
    f"{DEVICE}GetSystemDateAndTime": _time,
    f"{DEVICE}GetServices": _services,
    f"{DEVICE}GetDeviceInformation": _information,
    f"{MEDIA}GetProfiles": _profiles1,
    f"{MEDIA2}GetProfiles": _profiles2,
    f"{MEDIA}GetStreamUri": _stream1,
    f"{MEDIA2}GetStreamUri": _stream2,
    f"{MEDIA}GetVideoEncoderConfiguration": _configuration1,
    f"{MEDIA2}GetVideoEncoderConfigurations": _configuration2,
    f"{MEDIA}SetVideoEncoderConfiguration": _set1,
    f"{MEDIA2}SetVideoEncoderConfiguration": _set2,
    f"{EVENTS}CreatePullPointSubscription": _create,
    f"{EVENTS}PullMessages": _pull,
    f"{NOTIFICATION}Renew": _renew,
    f"{NOTIFICATION}Unsubscribe": _unsubscribe,
}
