"""Group robots of 企业微信, 钉钉 and 飞书: the JSON their documentation asks for, as plain text.

Text, not Markdown: what a resident says must not become a link or a mention. Each robot takes twenty messages a
minute; what is beyond that waits, and is put together.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import quote

from base import Clock
from camera_config.notification_rules import Robot, RobotService
from fleet.notices.sender import MessageRefused, TargetDown
from fleet.notices.web import post
from patrol.notice_words import Message

__all__ = ["PER_MIN", "RobotSender"]

PER_MIN = 20
_LEFT_ALONE_S = 60.0

_URL = {
    RobotService.WECOM: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
    RobotService.DINGTALK: "https://oapi.dingtalk.com/robot/send",
    RobotService.FEISHU: "https://open.feishu.cn/open-apis/bot/v2/hook",
}
_MOST_BYTES = {RobotService.WECOM: 2048, RobotService.DINGTALK: 18_000, RobotService.FEISHU: 18_000}
"""Of the text, in UTF-8: 企业微信 says 2048, the others 20 kB for the whole request."""

_TOO_OFTEN = {45009, 130101, 410100, 11232, 9499}
"""Codes of an answer that ask for patience: 企业微信 45009, 钉钉 130101 and 410100, 飞书 11232 and 9499 (too many requests)."""


class RobotSender:
    """Posts messages to one robot; see `Sender`."""

    per_min = PER_MIN

    def __init__(self, target: Robot, token: str, secret: str, clock: Clock) -> None:
        self._target = target
        self._token = token
        self._secret = secret
        self._clock = clock

    async def send(self, message: Message) -> None:
        body = json.dumps(self._body(message), ensure_ascii=False).encode()
        signed = quote(self._dingtalk_sign(self._now_ms()), safe="") if self._secret else ""
        hidden = (self._token, self._secret, signed)
        answer = await post(self._url(), body, {"Content-Type": "application/json; charset=utf-8"}, hidden)
        _check(answer.body)

    def _url(self) -> str:
        base = self._target.url or _URL[self._target.service]
        token = quote(self._token, safe="")
        if self._target.service is RobotService.WECOM:
            return f"{base}?key={token}"
        if self._target.service is RobotService.FEISHU:
            return f"{base}/{token}"
        if not self._secret:
            return f"{base}?access_token={token}"
        now_ms = self._now_ms()
        return f"{base}?access_token={token}&timestamp={now_ms}&sign={quote(self._dingtalk_sign(now_ms), safe='')}"

    def _body(self, message: Message) -> Mapping[str, object]:
        text = _cut(message, _MOST_BYTES[self._target.service])
        if self._target.service is not RobotService.FEISHU:
            return {"msgtype": "text", "text": {"content": text}}
        title, _, rest = text.partition("\n")
        lines: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in rest.split("\n")]
        post = {"title": title, "content": lines}
        body: dict[str, object] = {"msg_type": "post", "content": {"post": {"zh_cn": post}}}
        if self._secret:
            now_s = str(int(self._clock.now_s()))
            # Their way round: time and secret are the key, and nothing is signed with it.
            digest = hmac.digest(f"{now_s}\n{self._secret}".encode(), b"", hashlib.sha256)
            body |= {"timestamp": now_s, "sign": base64.b64encode(digest).decode("ascii")}
        return body

    def _dingtalk_sign(self, now_ms: int) -> str:
        digest = hmac.digest(self._secret.encode(), f"{now_ms}\n{self._secret}".encode(), hashlib.sha256)
        return base64.b64encode(digest).decode("ascii")

    def _now_ms(self) -> int:
        return int(self._clock.now_s() * 1000)


def _cut(message: Message, most_bytes: int) -> str:
    """The message's text with link and the end of its id, by which people recognise repetitions; whole lines fall away first."""
    tail = [part for part in (message.link, f"#{message.id[-8:]}") if part]
    lines = [message.title, *message.lines]
    while len(lines) > 1 and len("\n".join([*lines, *tail]).encode()) > most_bytes:
        lines.pop()
    text = "\n".join([*lines, *tail]).replace("<@", "<＠").replace("<at", "<＠")
    return text.encode()[:most_bytes].decode("utf-8", "ignore")


def _check(body: bytes) -> None:
    """Return if the answer says that the message was taken; all three answer 200 whatever happened. Raises SendError."""
    try:
        answer = json.loads(body)
        code = answer.get("errcode", answer.get("code", answer.get("StatusCode")))
        said = str(answer.get("errmsg") or answer.get("msg") or answer.get("StatusMessage") or "")[:200]
    except (ValueError, AttributeError):
        raise TargetDown("answered something that is not the robot's JSON; is this its address?") from None
    if code == 0:
        return
    sentence = f"answered code {code}: {said}"
    if code in _TOO_OFTEN:
        raise TargetDown(sentence, _LEFT_ALONE_S)
    raise MessageRefused(sentence)
