"""Webhooks, signed as Standard Webhooks 1.0 says, so that receivers find a library that checks them.

The signature covers id, time and body: `v1,` and the base64 of HMAC-SHA-256 over `id.timestamp.body`. The id is that of the
message and the same at every try.
"""

import base64
import hashlib
import hmac
import json

from base import Clock
from camera_config.notification_rules import Body, Webhook
from camera_config.site import Site
from fleet.notices.sender import json_of
from fleet.notices.web import post
from patrol.cap import message_cap
from patrol.notice_words import Message

__all__ = ["WebhookSender", "signature"]

_PREFIX = "whsec_"  # what a key of the standard begins with; the rest is base64


class WebhookSender:
    """Posts messages to one address; see `Sender`."""

    per_min = 600

    def __init__(self, target: Webhook, secret: str, site: Site, clock: Clock) -> None:
        self._target = target
        self._key = key_of(secret)
        self._secret = secret
        self._site = site
        self._clock = clock

    async def send(self, message: Message) -> None:
        if self._target.body is Body.CAP:
            kind, body = "application/cap+xml; charset=utf-8", message_cap(message, self._site, self._target.language).encode()
        else:
            kind, body = "application/json", json.dumps(json_of(message), ensure_ascii=False).encode()
        timestamp = str(int(self._clock.now_s()))
        headers = {"Content-Type": kind, "webhook-id": message.id, "webhook-timestamp": timestamp}
        if self._key:
            headers["webhook-signature"] = signature(self._key, message.id, timestamp, body)
        await post(self._target.url, body, headers, (self._secret,))


def signature(key: bytes, message: str, timestamp: str, body: bytes) -> str:
    """What the header `webhook-signature` says."""
    digest = hmac.digest(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode("ascii")


def key_of(secret: str) -> bytes:
    """The bytes of a secret: base64 after `whsec_`, else the text itself. Raises ValueError for what is not Unicode."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except ValueError:  # no base64, or not even ASCII
            return secret.encode()
    return secret.encode()
