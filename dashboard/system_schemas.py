"""What goes over the wire about how the system does."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Self

from pydantic import Field

from base import WorkerStats
from dashboard.fleet_view import WorkerState
from dashboard.schemas import AnswerBody, Time, iso
from dashboard.system_advice import Advice
from dashboard.vitals import Machine
from storage import SystemSample

__all__ = ["SystemHistoryOut", "SystemOut"]


class FiguresOut(AnswerBody):
    """Rates are null where nobody knows them, such as right after a start."""

    cores: float | None = Field(description="in use, by all processes of Gridpatrol", examples=[0.82])
    rss_bytes: float
    memory_free_bytes: float | None = Field(description="of the machine")
    disk_free_bytes: float | None = Field(description="where the data folder is")
    database_bytes: float
    cameras: float
    online: float
    not_watched: float | None = Field(description="cameras of which nothing was analysed, on average", examples=[0.4])
    over_budget: float | None = Field(description="cameras worth more decoding than there was room for, on average")
    awake_cores: float
    budget_cores: float
    outbox: float = Field(description="events that wait for the database")
    clips_waiting: float
    notices_waiting: float
    notices_dead: float

    @classmethod
    def of(cls, sample: SystemSample) -> Self:
        values = {each.name: getattr(sample, each.name) for each in fields(sample) if each.name != "at_s"}
        return cls.model_validate({name: None if value is None else round(value, 3) for name, value in values.items()})


class MachineOut(AnswerBody):
    cores: int
    memory_bytes: int
    disk_bytes: int | None


class WorkerOut(AnswerBody):
    name: str = Field(examples=["worker-0"])
    cameras: int
    restarts: int = Field(description="in this run")
    heard_at: Time
    rss_bytes: int
    outbox: int
    clips_waiting: int
    cameras_wanting: int = Field(description="that wait for the decode budget now")
    awake_cores: float
    budget_cores: float
    events: int = Field(description="raised since it was started")

    @classmethod
    def of(cls, state: WorkerState, stats: WorkerStats) -> Self:
        return cls(
            name=state.name,
            cameras=state.cameras,
            restarts=state.restarts,
            heard_at=iso(state.heard_s),
            rss_bytes=stats.rss_bytes,
            outbox=stats.outbox_depth,
            clips_waiting=stats.clips_waiting,
            cameras_wanting=stats.cameras_wanting,
            awake_cores=round(stats.awake_cores, 3),
            budget_cores=round(stats.budget_cores, 3),
            events=stats.events,
        )


class AdviceOut(AnswerBody):
    code: str = Field(examples=["disk_full"])
    urgent: bool
    values: dict[str, float | str] = Field(examples=[{"days": 3.2, "gb": 41.5}])


class SystemOut(AnswerBody):
    at: Time
    machine: MachineOut
    figures: FiguresOut
    workers: list[WorkerOut]
    advice: list[AdviceOut] = Field(description="what to do, the urgent first; empty: nothing")

    @classmethod
    def of(
        cls,
        machine: Machine,
        now: SystemSample,
        workers: Sequence[WorkerState],
        stats: Mapping[str, WorkerStats],
        advice: Sequence[Advice],
    ) -> Self:
        return cls(
            at=iso(now.at_s),
            machine=MachineOut(cores=machine.cores, memory_bytes=machine.memory_bytes, disk_bytes=machine.disk_bytes),
            figures=FiguresOut.of(now),
            workers=[WorkerOut.of(each, stats.get(each.name, WorkerStats())) for each in workers],
            advice=[AdviceOut(code=each.code.value, urgent=each.is_urgent, values=dict(each.values)) for each in advice],
        )


class SystemPointOut(AnswerBody):
    at: Time
    figures: FiguresOut | None = Field(description="null: Gridpatrol was not running, or its database was away")


class SystemHistoryOut(AnswerBody):
    begin: Time = Field(serialization_alias="from")
    to: Time
    points: list[SystemPointOut]

    @classmethod
    def of(cls, from_s: float, to_s: float, points: Sequence[tuple[float, SystemSample | None]]) -> Self:
        found = [SystemPointOut(at=iso(at_s), figures=None if each is None else FiguresOut.of(each)) for at_s, each in points]
        return cls(begin=iso(from_s), to=iso(to_s), points=found)
