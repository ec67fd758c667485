"""The networks in which a site's cameras are: nothing outside of them is ever asked for pictures or searched for devices."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from camera_config.entry import Entry, Found, shown
from camera_config.site import Camera, Network

__all__ = ["check_networks", "read_networks"]

_EXAMPLE = "a list of networks such as ['10.20.0.0/16']"
_MOST = 100


def read_networks(entry: Entry) -> tuple[Network, ...]:
    """`camera_networks` of `site.toml`; () if it is not there, which allows every address."""
    value = entry.value("camera_networks")
    if value is None:
        return ()
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST:
        entry.refuse("camera_networks", f"expected {_EXAMPLE}, got {shown(value)}")
        return ()
    found: list[Network] = []
    for text in value:
        try:
            found.append(ipaddress.ip_network(text if isinstance(text, str) else ""))
        except ValueError as error:
            entry.refuse("camera_networks", f"expected {_EXAMPLE}, got {shown(text)}: {error}")
    return tuple(found)


def check_networks(networks: Sequence[Network], cameras: Sequence[Found[Camera]]) -> None:
    """Note every camera whose address lies outside; a host that is a name has to resolve first, so it is not judged here.

    A camera that is asked for its own motion events needs an address inside: only these are ever asked anything but pictures.
    """
    allowed = ", ".join(str(network) for network in networks[:5])
    for found in cameras:
        if found.value and found.value.own_motion and not (networks and _is_address(found.value.url_sub)):
            found.entry.refuse("own_motion", "expected false, for url_sub has no address in the camera_networks of site.toml")
        for key in ("url_sub", "url_main") if found.value and networks else ():
            host = urlsplit(getattr(found.value, key)).hostname
            try:
                address = ipaddress.ip_address(host or "")
            except ValueError:
                continue
            if not any(address in network for network in networks):
                found.entry.refuse(key, f"expected an address in camera_networks ({allowed}), got {address}")


def _is_address(url: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True
