"""WS-Discovery (ONVIF Core Specification, chapter 7; OASIS WS-Discovery 2005): which devices answer on a network."""

import ipaddress
import socket
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from base import Clock, printable
from ingest.onvif.answers import read_probe_matches
from ingest.onvif.soap import ENVELOPE, OnvifError, read_body

__all__ = ["GROUP", "PORT", "FoundDevice", "Network", "discover", "find_service", "probe", "read_answer"]

GROUP = "239.255.255.250"
PORT = 3702
MOST_DEVICES = 4096
MOST_HOSTS = 4096
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_NAME = "onvif://www.onvif.org/name/"
_HARDWARE = "onvif://www.onvif.org/hardware/"
_DATAGRAM = 65_535
_FIND_S = 1.0  # how long a device is waited for that says at which port it speaks ONVIF
_SERVICE = (80, "/onvif/device_service")  # of one that says nothing

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that answered, at the address it answered from; `name` and `hardware` are what it says of itself."""

    host: str
    port: int
    path: str
    name: str
    hardware: str


def discover(
    networks: Sequence[Network],
    clock: Clock,
    interface: str = "",
    hosts: Sequence[str] = (),
    seconds: float = 4.0,
    target: tuple[str, int] = (GROUP, PORT),
) -> list[FoundDevice]:
    """Ask the group through `interface` (its IPv4 address), or each of `hosts`; who answered within `seconds`, by address.

    Only answers from `networks` count, and each only for the address it came from. Blocking. Raises OnvifError if there is no
    such interface, or more than 4,096 hosts were asked for.
    """
    if len(hosts) > MOST_HOSTS:
        raise OnvifError(f"expected at most {MOST_HOSTS:,} addresses to ask, got {len(hosts):,}")
    asked = uuid.uuid4()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        try:
            if interface:
                link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            link.bind((interface, 0))
            for host in hosts or (target[0],):
                if not hosts or _inside(host, networks):
                    link.sendto(probe(asked), (host, target[1]))
        except OSError as error:
            raise OnvifError(f"cannot ask through {interface or 'any interface'}: {error.strerror}") from None
        return _collect(link, asked, networks, clock, seconds)


def find_service(host: str, networks: Sequence[Network], clock: Clock, discovery_port: int = PORT) -> tuple[int, str]:
    """Port and path of the device's service at `host`, as it says itself; else those of the standard. Blocks up to a second."""
    if ":" in host:  # discovery asks by IPv4
        return _SERVICE
    found = discover(networks, clock, hosts=[host], seconds=_FIND_S, target=("", discovery_port))
    return (found[0].port, found[0].path) if found else _SERVICE


def probe(asked: uuid.UUID) -> bytes:
    """The question "which video devices are here?"."""
    envelope = Element(f"{{{ENVELOPE}}}Envelope")
    header = SubElement(envelope, f"{{{ENVELOPE}}}Header")
    for name, value in (
        ("MessageID", f"urn:uuid:{asked}"),
        ("To", "urn:schemas-xmlsoap-org:ws:2005:04:discovery"),
        ("Action", f"{_DISCOVERY}/Probe"),
    ):
        SubElement(header, f"{{{_ADDRESSING}}}{name}").text = value
    question = SubElement(SubElement(envelope, f"{{{ENVELOPE}}}Body"), f"{{{_DISCOVERY}}}Probe")
    types = SubElement(question, f"{{{_DISCOVERY}}}Types", {"xmlns:dn": "http://www.onvif.org/ver10/network/wsdl"})
    types.text = "dn:NetworkVideoTransmitter"
    data: bytes = tostring(envelope, encoding="utf-8", xml_declaration=True)
    return data


def read_answer(data: bytes, sender: str) -> FoundDevice | None:
    """The device of a ProbeMatches that came from `sender`; None if it names no address of its own. Raises OnvifError."""
    for addresses, scopes in read_probe_matches(read_body(data)):
        for address in addresses:
            try:
                parts = urlsplit(address)
                port = parts.port or 80
            except ValueError:
                continue
            if parts.scheme == "http" and parts.hostname == sender:
                return FoundDevice(sender, port, parts.path or "/", _scope(scopes, _NAME), _scope(scopes, _HARDWARE))
    return None


def _collect(
    link: socket.socket, asked: uuid.UUID, networks: Sequence[Network], clock: Clock, seconds: float
) -> list[FoundDevice]:
    found: dict[tuple[str, int], FoundDevice] = {}
    ends_s = clock.monotonic_s() + seconds
    while (left_s := ends_s - clock.monotonic_s()) > 0 and len(found) < MOST_DEVICES:
        link.settimeout(left_s)
        try:
            data, (sender, *_) = link.recvfrom(_DATAGRAM)
        except TimeoutError:
            break
        except ConnectionError:
            continue  # nobody listens at one of the addresses
        if not _inside(sender, networks) or str(asked).encode() not in data:
            continue
        try:
            device = read_answer(data, sender)
        except OnvifError:
            continue  # whoever else speaks on this port
        if device is not None:
            found[device.host, device.port] = device
    return sorted(found.values(), key=lambda one: (ipaddress.ip_address(one.host), one.port))


def _inside(host: str, networks: Sequence[Network]) -> bool:
    address = ipaddress.ip_address(host)
    return any(address in network for network in networks)


def _scope(scopes: str, prefix: str) -> str:
    found = next((scope for scope in scopes.split() if scope.startswith(prefix)), "")
    return printable(unquote(found.removeprefix(prefix)))[:100]
