"""A process that has something to tell all the time and delivers it to a webhook; made to be killed."""

import asyncio

from base import SystemClock
from camera_config.notification_rules import Language, NoticeKind, TellRule, Webhook
from camera_config.site import Site
from fleet.notices import Delivery
from fleet.notices.webhook import WebhookSender
from patrol.notify import Notice
from storage import Store
from tests.notices.stage import site_with

__all__ = ["a_site", "send_forever"]


def a_site(receiver: str) -> Site:
    return site_with(Webhook("all", receiver, Language.EN), rules=(TellRule(("all",), group_s=0.0),))


def send_forever(url: str, receiver: str, turn: int, count: int) -> None:
    """Tell `count` things, one in each turn of delivery, then only deliver; runs until killed."""
    clock, site = SystemClock(), a_site(receiver)
    store = Store.open(url, clock, site)
    [target] = site.notifications.targets
    assert isinstance(target, Webhook)
    delivery = Delivery(store.outgoing, {"all": (WebhookSender(target, "", site, clock), Language.EN)}, clock)

    async def run() -> None:
        number = 0
        while True:
            if number < count:
                store.outgoing.tell(Notice(0, NoticeKind.BACKUP_FAILED, clock.now_s(), summary=f"{turn}/{number}"))
                number += 1
            await delivery.turn()
            await delivery.settle()
            await asyncio.sleep(0.002)

    asyncio.run(run())
