"""One ONVIF device over HTTP: what it streams, making a stream analysable, its motion events. Blocking; one per thread."""

import asyncio
import copy
import functools
import secrets
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import Element, SubElement

import httpx

from base import AuthError, Clock
from ingest.onvif.answers import (
    DeviceInformation,
    Encoder,
    MotionEvent,
    Profile,
    read_device_time,
    read_encoder,
    read_information,
    read_motion,
    read_profiles,
    read_services,
    read_stream_uri,
    read_subscription,
)
from ingest.onvif.soap import MOST_BYTES, NAMESPACES, OnvifError, OnvifFault, child, message, read_body, security
from ingest.rtsp.auth import Authenticator, Offers

__all__ = ["AnalysableStream", "Device", "Login"]

TIMEOUT_S = 5.0
ANSWER_S = 15.0
"""For a whole answer, however slowly its bytes come."""

WANTED_GOP_S = 2.0
_NONCE_BYTES = 16
_SCHEMA = NAMESPACES["schema"]
_Result = TypeVar("_Result")
_PULLED_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Login:
    """User and password of a device."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Of HTTP; `challenges` are its WWW-Authenticate headers. The body of a 401 is not read."""

    status: int
    challenges: list[str]
    data: bytes


@dataclass(frozen=True, slots=True)
class AnalysableStream:
    """What a stream was, what the device was asked for, and what it says afterwards."""

    before: Encoder
    after: Encoder

    @property
    def is_analysable(self) -> bool:
        """Whether key frames now come as often as detection needs them."""
        return 0 < self.after.gop_s <= WANTED_GOP_S * 1.5


class Device:
    """A device at a vetted address. Use as a context; every method raises OnvifError (OnvifFault if the device refuses).

    Whatever addresses the device hands out, only this host is ever asked: their host is replaced by it. Redirects are refused.
    """

    def __init__(self, host: str, login: Login | None, clock: Clock, port: int = 80, path: str = "/onvif/device_service") -> None:
        self._host, self._port, self._login, self._clock = host, port, login, clock
        self._services = {NAMESPACES["device"]: self._at(f"http://{host}:{port}{path}")}
        self._ahead_s: float | None = None  # the device's clock minus ours
        user, password = (login.user, login.password) if login else ("", "")
        self._digest = Authenticator(user, password, Offers(digest=True))  # never Basic: the way is not encrypted
        self._asks_digest = False  # it wants HTTP Digest in place of a token in the message
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))  # a device could fill our memory with them
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=_trusted(), cookies=no_cookies)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _wait_for(self._client.aclose())

    @property
    def clock_ahead_s(self) -> float:
        """The device's clock minus ours, seconds, after the first question."""
        return self._ahead_s or 0.0

    def information(self) -> DeviceInformation:
        """Maker, model and firmware."""
        return read_information(self._ask("device", _element("device", "GetDeviceInformation")))

    def profiles(self) -> list[Profile]:
        """Profiles with video, the largest picture first."""
        body = _element(self._media, "GetProfiles")
        if self._media == "media2":
            SubElement(body, f"{{{NAMESPACES['media2']}}}Type").text = "VideoEncoder"
        return sorted(read_profiles(self._ask(self._media, body)), key=lambda one: -one.encoder.width_px * one.encoder.height_px)

    def stream_url(self, profile: Profile) -> str:
        """The RTSP address of a profile: of this host, without a login, whatever the device says."""
        media = self._media
        body = _element(media, "GetStreamUri")
        if media == "media2":
            SubElement(body, f"{{{NAMESPACES[media]}}}Protocol").text = "RTSP"
        else:
            setup = SubElement(body, f"{{{NAMESPACES[media]}}}StreamSetup")
            SubElement(setup, f"{{{_SCHEMA}}}Stream").text = "RTP-Unicast"
            transport = SubElement(setup, f"{{{_SCHEMA}}}Transport")
            SubElement(transport, f"{{{_SCHEMA}}}Protocol").text = "RTSP"
        SubElement(body, f"{{{NAMESPACES[media]}}}ProfileToken").text = profile.token
        parts = urlsplit(read_stream_uri(self._ask(media, body)))
        host = f"[{self._host}]" if ":" in self._host else self._host
        return urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path, parts.query, ""))

    def make_analysable(self, profile: Profile) -> AnalysableStream:
        """Set the distance of key frames to 2 s, everything else as it was, and read back what the device took.

        A maker's "smart codec" is no part of ONVIF: where the device stretches GOPs all the same, the camera's measured GOP
        says so, and it has to be switched off at the device.
        """
        configuration = self._configuration(profile)
        before = read_encoder(configuration)
        if before.codec not in ("H264", "H265") or not before.frames_per_s:
            raise OnvifError(f"expected an H.264 or H.265 encoder with a frame rate, got {before.codec or 'none'}")
        wanted = copy.deepcopy(configuration)
        _set_gop(wanted, before.codec, max(1, round(before.frames_per_s * WANTED_GOP_S)))
        body = _element(self._media, "SetVideoEncoderConfiguration")
        wanted.tag = f"{{{NAMESPACES[self._media]}}}Configuration"
        body.append(wanted)
        if self._media == "media":
            SubElement(body, f"{{{NAMESPACES['media']}}}ForcePersistence").text = "true"
        self._ask(self._media, body)
        return AnalysableStream(before, read_encoder(self._configuration(profile)))

    def subscribe(self, lasting_s: int = 60) -> str:
        """Make a pull point for motion events; its address, at this host. It ends by itself unless it is renewed."""
        body = _element("events", "CreatePullPointSubscription")
        SubElement(body, f"{{{NAMESPACES['events']}}}InitialTerminationTime").text = f"PT{lasting_s}S"
        action = f"{NAMESPACES['events']}/EventPortType/CreatePullPointSubscriptionRequest"
        return self._at(read_subscription(self._ask("events", body, action)))

    def pull(self, pull_point: str, waiting_s: int = 1) -> list[MotionEvent]:
        """The motion events since the last call; the device answers at once if there are any, else after `waiting_s`."""
        body = _element("events", "PullMessages")
        SubElement(body, f"{{{NAMESPACES['events']}}}Timeout").text = f"PT{waiting_s}S"
        SubElement(body, f"{{{NAMESPACES['events']}}}MessageLimit").text = str(_PULLED_AT_ONCE)
        action = f"{NAMESPACES['events']}/PullPointSubscription/PullMessagesRequest"
        return read_motion(self._send(pull_point, body, action, waiting_s))

    def renew(self, pull_point: str, lasting_s: int = 60) -> None:
        """Keep a pull point."""
        body = _element("notification", "Renew")
        SubElement(body, f"{{{NAMESPACES['notification']}}}TerminationTime").text = f"PT{lasting_s}S"
        self._send(pull_point, body, "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest")

    def unsubscribe(self, pull_point: str) -> None:
        """End a pull point."""
        action = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"
        self._send(pull_point, _element("notification", "Unsubscribe"), action)

    @property
    def _media(self) -> str:
        """Media 2 where the device has it: only that one knows H.265."""
        self._learn_services()
        return "media2" if NAMESPACES["media2"] in self._services else "media"

    def _configuration(self, profile: Profile) -> Element:
        body = _element(
            self._media, "GetVideoEncoderConfigurations" if self._media == "media2" else "GetVideoEncoderConfiguration"
        )
        SubElement(body, f"{{{NAMESPACES[self._media]}}}ConfigurationToken").text = profile.encoder.token
        answer = self._ask(self._media, body)
        found = child(answer, "Configurations") if self._media == "media2" else child(answer, "Configuration")
        if found is None:
            raise OnvifError(f"expected the encoder configuration {profile.encoder.token}, got none")
        return found

    def _learn_services(self) -> None:
        if len(self._services) > 1:
            return
        body = _element("device", "GetServices")
        SubElement(body, f"{{{NAMESPACES['device']}}}IncludeCapability").text = "false"
        told = read_services(self._send(self._services[NAMESPACES["device"]], body))
        known = {namespace: self._at(told[namespace]) for namespace in NAMESPACES.values() if namespace in told}
        self._services = known | self._services  # a maker's own services may be anywhere

    def _ask(self, service: str, body: Element, action: str = "") -> Element:
        self._learn_services()
        address = self._services.get(NAMESPACES[service])
        if address is None:
            raise OnvifError(f"the device has no {service} service")
        return self._send(address, body, action)

    def _send(self, address: str, body: Element, action: str = "", waiting_s: float = 0.0) -> Element:
        """One question; a device that does not take the token of WS-Security is asked again by HTTP Digest (RFC 7616)."""
        if self._login is not None and self._ahead_s is None:
            self._ahead_s = self._device_time()
        try:
            return read_body(self._post(address, message(body, self._token(), action, address), waiting_s))
        except OnvifFault as fault:
            if not fault.is_denied or self._login is None or self._asks_digest:
                raise
            self._asks_digest = True
        return read_body(self._post(address, message(body, None, action, address), waiting_s))

    def _token(self) -> Element | None:
        if self._login is None or self._asks_digest:
            return None
        at_s = self._clock.now_s() + self.clock_ahead_s
        return security(self._login.user, self._login.password, secrets.token_bytes(_NONCE_BYTES), at_s)

    def _device_time(self) -> float:
        """How far the device's clock is ahead: a token with our time is refused by a device whose clock is wrong."""
        asked = message(_element("device", "GetSystemDateAndTime"))
        try:
            return read_device_time(read_body(self._post(self._services[NAMESPACES["device"]], asked))) - self._clock.now_s()
        except OnvifFault:
            return 0.0  # it should tell this to anybody, but some do not

    def _post(self, address: str, content: bytes, waiting_s: float = 0.0) -> bytes:
        """The bytes of an answer, `waiting_s` of whose time the device was told to wait."""
        try:
            while (answer := _wait_for(self._exchange(address, content, waiting_s))).status == httpx.codes.UNAUTHORIZED:
                self._digest.challenged(answer.challenges if self._asks_digest else [])
        except AuthError:
            raise OnvifFault("NotAuthorized", "user or password is wrong") from None
        self._digest.accepted()
        if not answer.data:
            raise OnvifError(f"expected a SOAP answer, got HTTP {answer.status} without one")
        return answer.data

    async def _exchange(self, address: str, content: bytes, waiting_s: float) -> _Answer:
        """One question and its answer, bounded in size and time; nothing is unpacked, which could make much of little."""
        headers = {"Content-Type": "application/soap+xml; charset=utf-8", "Accept-Encoding": "identity"}
        timeout, data = httpx.Timeout(TIMEOUT_S, read=TIMEOUT_S + waiting_s), bytearray()
        try:
            async with asyncio.timeout(ANSWER_S + waiting_s):
                request = self._client.build_request("POST", address, content=content, headers=headers, timeout=timeout)
                if signed := self._digest.header("POST", request.url.raw_path.decode()):
                    request.headers["Authorization"] = signed
                answer = await self._client.send(request, stream=True)
                try:
                    if answer.is_redirect:
                        raise OnvifError("expected an answer, got a redirect, which is not followed")
                    if answer.status_code == httpx.codes.UNAUTHORIZED:
                        return _Answer(answer.status_code, answer.headers.get_list("www-authenticate"), b"")
                    async for chunk in answer.aiter_raw():
                        data += chunk
                        if len(data) > MOST_BYTES:
                            raise OnvifError(f"expected an answer of {MOST_BYTES:,} bytes or fewer, got more")
                finally:
                    await answer.aclose()
        except TimeoutError:
            raise OnvifError(f"expected a whole answer within {ANSWER_S + waiting_s:g} s, got none") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise OnvifError(f"{self._host}:{self._port} does not speak ONVIF over HTTP: {type(error).__name__}") from None
        return _Answer(answer.status_code, [], bytes(data))

    def _at(self, address: str) -> str:
        """The same address at this host: a device behind a router hands out others, a hostile one those of third parties."""
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise OnvifError("expected an http:// address of a service, got something else") from None
        if parts.scheme not in ("http", "https"):
            raise OnvifError(f"expected an http:// address of a service, got {parts.scheme[:20]!r}")
        host = f"[{self._host}]" if ":" in self._host else self._host
        own = port if parts.hostname == self._host and port else self._port
        return urlunsplit((parts.scheme, f"{host}:{own}", parts.path or "/", parts.query, ""))


def _wait_for(exchange: Coroutine[Any, Any, _Result]) -> _Result:
    return asyncio.run_coroutine_threadsafe(exchange, _loop()).result()


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """Where all devices are asked, in a thread of its own: only asyncio bounds a whole exchange, however its bytes come."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="onvif", daemon=True).start()
    return loop


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are trusted: reading them takes 20 ms and a megabyte, so all devices share them."""
    return httpx.create_ssl_context(trust_env=False)


def _element(service: str, name: str) -> Element:
    return Element(f"{{{NAMESPACES[service]}}}{name}")


def _set_gop(configuration: Element, codec: str, frames: int) -> None:
    inner = child(configuration, codec, "GovLength")
    if inner is not None:
        inner.text = str(frames)
    elif configuration.get("GovLength") is not None:
        configuration.set("GovLength", str(frames))
    else:
        raise OnvifError("expected an encoder whose distance of key frames can be set (GovLength), got one without")
