"""SOAP 1.2 messages as ONVIF uses them (ONVIF Core Specification, chapters 5 and 5.9): made and read, nothing sent."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from base import ConnectError, printable

__all__ = [
    "ENVELOPE",
    "NAMESPACES",
    "OnvifError",
    "OnvifFault",
    "child",
    "children",
    "message",
    "read_body",
    "security",
    "text_of",
]

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_MESSAGE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
_ADDRESSING = "http://www.w3.org/2005/08/addressing"

NAMESPACES = {
    "device": "http://www.onvif.org/ver10/device/wsdl",
    "media": "http://www.onvif.org/ver10/media/wsdl",
    "media2": "http://www.onvif.org/ver20/media/wsdl",
    "events": "http://www.onvif.org/ver10/events/wsdl",
    "notification": "http://docs.oasis-open.org/wsn/b-2",
    "schema": "http://www.onvif.org/ver10/schema",
}

MOST_BYTES = 1_000_000
MOST_ELEMENTS = 50_000
MOST_DEPTH = 100  # of elements; what copies and writes them goes down recursively
_MOST_SAID = 200
_DENIED = ("NotAuthorized", "FailedAuthentication")


class OnvifError(ConnectError):
    """A device did not answer, or not as ONVIF says."""


class OnvifFault(OnvifError):
    """A device refused what it was asked; `code` is the most exact subcode, for example NotAuthorized."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(f"the device refused: {printable(reason)[:_MOST_SAID]} ({printable(code)[:60]})")

    @property
    def is_denied(self) -> bool:
        """Whether user and password were refused."""
        return self.code in _DENIED


def message(body: Element, header: Element | None = None, action: str = "", to: str = "") -> bytes:
    """An envelope around `body`, with WS-Addressing headers where `action` asks for them."""
    envelope = Element(f"{{{ENVELOPE}}}Envelope")
    head = SubElement(envelope, f"{{{ENVELOPE}}}Header")
    if action:
        for name, value in (("Action", action), ("To", to)):
            part = SubElement(head, f"{{{_ADDRESSING}}}{name}", {f"{{{ENVELOPE}}}mustUnderstand": "1"})
            part.text = value
    if header is not None:
        head.append(header)
    SubElement(envelope, f"{{{ENVELOPE}}}Body").append(body)
    data: bytes = tostring(envelope, encoding="utf-8", xml_declaration=True)
    return data


def security(user: str, password: str, nonce: bytes, device_s: float) -> Element:
    """A UsernameToken with a password digest (OASIS UsernameToken Profile 1.0); `device_s` is by the device's own clock."""
    created = datetime.fromtimestamp(device_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    digest = hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324  the profile asks for it
    header = Element(f"{{{_SECURITY}}}Security", {f"{{{ENVELOPE}}}mustUnderstand": "1"})
    token = SubElement(header, f"{{{_SECURITY}}}UsernameToken")
    SubElement(token, f"{{{_SECURITY}}}Username").text = user
    SubElement(token, f"{{{_SECURITY}}}Password", {"Type": f"{_PROFILE}#PasswordDigest"}).text = base64.b64encode(digest).decode()
    SubElement(token, f"{{{_SECURITY}}}Nonce", {"EncodingType": f"{_MESSAGE}#Base64Binary"}).text = base64.b64encode(
        nonce
    ).decode()
    SubElement(token, f"{{{_UTILITY}}}Created").text = created
    return header


def read_body(data: bytes) -> Element:
    """What stands in the body of an envelope. Raises OnvifFault for a fault in it, OnvifError for what is no answer at all.

    A document type, entities and external references are refused, as is an answer over 1 MB, 50,000 elements, or 100 of them in
    each other.
    """
    if len(data) > MOST_BYTES:
        raise OnvifError(f"expected an answer of at most {MOST_BYTES:,} bytes, got more")
    try:
        envelope = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise OnvifError(f"expected XML, got something else: {type(error).__name__}") from None
    if envelope.tag != f"{{{ENVELOPE}}}Envelope":
        raise OnvifError(f"expected a SOAP 1.2 envelope, got {printable(str(envelope.tag))[:80]}")
    _check_elements(envelope)
    body = envelope.find(f"{{{ENVELOPE}}}Body")
    if body is None or len(body) != 1:
        raise OnvifError(f"expected one element in the SOAP body, got {0 if body is None else len(body)}")
    if _local(body[0]) == "Fault":
        raise _fault(body[0])
    return body[0]


def _check_elements(envelope: Element) -> None:
    level, count = [envelope], 1
    for _ in range(MOST_DEPTH):
        level = [inner for one in level for inner in one]
        count += len(level)
        if not level:
            break
    else:
        raise OnvifError(f"expected at most {MOST_DEPTH} elements in each other, got more")
    if count > MOST_ELEMENTS:
        raise OnvifError(f"expected at most {MOST_ELEMENTS:,} elements, got more")


def child(element: Element | None, *path: str) -> Element | None:
    """The first descendant along local names. Devices differ in their prefixes and sometimes in their namespaces."""
    for name in path:
        element = next(children(element, name), None)
    return element


def children(element: Element | None, name: str) -> Iterator[Element]:
    """The direct children of this local name."""
    return (one for one in (element if element is not None else ()) if _local(one) == name)


def text_of(element: Element | None, *path: str) -> str:
    """The text of the descendant along local names, without spaces round it; empty if there is none."""
    found = child(element, *path)
    return (found.text or "").strip() if found is not None else ""


def _local(element: Element) -> str:
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _fault(fault: Element) -> OnvifFault:
    codes = [text for value in fault.iter() if _local(value) == "Value" and (text := (value.text or "").strip())]
    reason = text_of(fault, "Reason", "Text") or text_of(fault, "faultstring") or "no reason given"
    return OnvifFault(codes[-1].rpartition(":")[2] if codes else "unknown", reason)
