"""ONVIF, as far as Gridpatrol needs it: finding cameras, reading their streams, making a stream analysable, their motion events.

`soap` and `answers` are sans-I/O; `device` asks over HTTP, `discovery` over UDP. Only vetted addresses are contacted: what a
device says of other hosts is never followed.
"""

from ingest.onvif.answers import DeviceInformation, Encoder, MotionEvent, Profile
from ingest.onvif.device import AnalysableStream, Device, Login
from ingest.onvif.discovery import FoundDevice, discover, find_service
from ingest.onvif.notices import AskedCamera, MotionNotices
from ingest.onvif.soap import OnvifError, OnvifFault

__all__ = [
    "AnalysableStream",
    "AskedCamera",
    "Device",
    "DeviceInformation",
    "Encoder",
    "FoundDevice",
    "Login",
    "MotionEvent",
    "MotionNotices",
    "OnvifError",
    "OnvifFault",
    "Profile",
    "discover",
    "find_service",
]
