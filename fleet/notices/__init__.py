"""Telling people elsewhere: webhooks, group robots, e-mail, MQTT.

In: notices and messages that wait in the database (`storage.Outgoing`). Out: each message at its receiver at least once, always
with the same id. Read `delivery.py` first, then `sender.py`.
"""

from fleet.notices.delivery import Delivery, notices_running
from fleet.notices.sender import MessageRefused, MessageRejected, Sender, TargetDown

__all__ = ["Delivery", "MessageRefused", "MessageRejected", "Sender", "TargetDown", "notices_running"]
