"""How much of what happens in the labelled clips becomes an event, how much else does, and how that compares with two baselines.

``python -m benchmarks.accuracy --json`` prints one JSON object as its last line. Every clip is sent as a camera would send it and
goes through the gate, the decoders, the tiers and the pipeline of a worker in simulated time, so the figures are the same on
every machine. See README.md for what each key means.
"""

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np

from base import EventKind, Packet
from benchmarks._baselines import BASELINES, alarms
from benchmarks._films import Film, data_folder
from benchmarks._labels import CLIPS, film_of
from benchmarks._live import START_S, Live, Raised, Shown
from benchmarks._machine import machine
from benchmarks._made import CASES, make
from benchmarks._score import Boxes, Score, average_precision, read_people, score, track_score
from detect import Networks, load_networks
from ingest.decode import AwakeDecoder, reduce_luma

__all__ = ["Outcome", "outcome_of", "summary"]

_PERSON_VOTE = 0.5
_MOTION_KINDS = (EventKind.INTRUSION, EventKind.MOTION)  # of which a baseline can know anything
_TUD = ("mot/TUD-Campus/input.mp4", "mot/TUD-Stadtmitte/input.mp4")


@dataclass(slots=True)
class Outcome:
    """What came of one film."""

    name: str
    seconds: float
    ours: Score
    full: Score
    gate: Score  # events of full decode that the gate found as well
    decoded: int = 0
    packets: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)  # events
    baselines: dict[str, Score] = field(default_factory=dict)
    people: list[tuple[int, int, float, Boxes]] = field(default_factory=list)  # frame, track, vote, box in pixels (1, 4)
    looked: set[int] = field(default_factory=set)  # frames that `people` is about


def outcome_of(film: Film, networks: Networks, baselines: bool = True) -> Outcome:
    """Both runs of a film, and the baselines'."""
    packets = film.sent.packets()
    live, full = Live(film.rules, networks), Live(film.rules, networks, gated=False)
    found, reference = list(live.play(packets)), list(full.play(packets))
    outcome = Outcome(
        film.name,
        film.seconds,
        score(_scored(film, found), film.truths, film.known_s, film.seconds),
        score(_scored(film, reference), film.truths, film.known_s, film.seconds),
        _kept(found, reference),
        live.decoded,
        live.packets,
        {rule.name: sum(one.rule == rule.name for one in found) for rule in film.rules},
    )
    if baselines:
        outcome.baselines = _baseline_scores(film, packets)
    if film.name in _TUD:
        outcome.people = _people(film, full.shown, networks)
        outcome.looked = {_frame_of(film, time_s) for time_s in full.looked_s}
    return outcome


def _scored(film: Film, raised: list[Raised]) -> list[Raised]:
    """Of a made case, which has no truths, only what was taken for a person or a vehicle: that something moves is no error."""
    rules = {rule.name for rule in film.rules} if film.truths else {film.rules[0].name}
    return [one for one in raised if one.rule in rules]


def _kept(found: list[Raised], reference: list[Raised]) -> Score:
    """How many events of `reference` are in `found`: same rule, raised while the other was there or within two seconds."""
    kept = sum(
        any(one.rule == other.rule and one.began_s - 2 <= other.raised_s and other.began_s - 2 <= one.raised_s for other in found)
        for one in reference
    )
    return Score(truths=len(reference), found=kept)


def _baseline_scores(film: Film, packets: list[Packet]) -> dict[str, Score]:
    """Every frame, as these are used. Only truths of which motion can tell count."""
    decoder = AwakeDecoder()
    frames = [
        (time_s - START_S, reduce_luma(picture.luma), picture.luma)
        for packet in packets
        for time_s, _, picture in decoder.decode(packet)
    ]
    rules = [rule for rule in film.rules if rule.kind in _MOTION_KINDS][:1]
    truths = [truth for truth in film.truths if truth.rule in {rule.name for rule in rules}]
    scores = {}
    for name, kind in BASELINES.items():
        detector = kind()
        boxes = [(time_s, detector.boxes(time_s, small if name == "mog2" else luma)) for time_s, small, luma in frames]
        raised = [one for rule in rules for one in alarms(rule, boxes)]
        scores[name] = score(raised, truths, film.known_s, film.seconds)
    return scores


def _people(film: Film, shown: list[Shown], networks: Networks) -> list[tuple[int, int, float, Boxes]]:
    """Tracks called a person, by frame of the clip."""
    person = networks.crop.labels.index("person")
    size = (film.sent.width_px, film.sent.height_px) * 2
    found = []
    for one in shown:
        frame = _frame_of(film, one.time_s)
        if frame >= 0 and one.vote[person] >= _PERSON_VOTE:
            found.append((frame, one.number, one.vote[person], np.array([one.box], np.float64) * size))
    return found


def _frame_of(film: Film, time_s: float) -> int:
    """Number of the clip's own frame that is shown at a time; below 0 before it."""
    shown_s = film.sent.time_s
    return round((time_s - shown_s[film.lead_frames]) / (shown_s[1] - shown_s[0]))


def summary(outcomes: list[Outcome]) -> dict[str, object]:
    """The keys of the labelled clips together."""
    ours, full, gate = Score(), Score(), Score()
    for outcome in outcomes:
        ours.add(outcome.ours)
        full.add(outcome.full)
        gate.add(outcome.gate)
    result: dict[str, object] = {
        "event_recall": ours.recall,
        "event_precision": ours.precision,
        "false_per_camera_hour": ours.false_per_hour,
        "repeats": ours.repeats,
        "truths": ours.truths,
        "full_decode_recall": full.recall,
        "gate_recall": gate.recall,
        "decoded_fraction": round(sum(one.decoded for one in outcomes) / sum(one.packets for one in outcomes), 3),
        "latency_p50_s": ours.latency(0.5),
        "latency_p95_s": ours.latency(0.95),
        "camera_hours": round(ours.hours, 3),
    }
    for name in BASELINES if outcomes[0].baselines else ():
        baseline = Score()
        for outcome in outcomes:
            baseline.add(outcome.baselines[name])
        result |= {
            f"{name}_event_recall": baseline.recall,
            f"{name}_event_precision": baseline.precision,
            f"{name}_false_per_camera_hour": baseline.false_per_hour,
        }
    return result


def people_summary(outcomes: list[Outcome]) -> dict[str, object]:
    """Detection and tracking of people on the TUD clips, all awake, in the frames that were looked at."""
    by_name = {one.name: one for one in outcomes}
    clips = [by_name[name] for name in _TUD if name in by_name]
    labels = [read_people((data_folder() / one.name).with_name("gt.txt")) for one in clips]
    truth = [{at: row for at, row in label.items() if at in one.looked} for label, one in zip(labels, clips, strict=True)]
    found = [(clip * 100_000 + frame, vote, box) for clip, one in enumerate(clips) for frame, _, vote, box in one.people]
    people = {clip * 100_000 + frame: each for clip, one in enumerate(truth) for frame, each in one.items()}
    area, by_height = average_precision(found, people)
    tracks = track_score([(clip * 100_000 + f, n, box) for clip, one in enumerate(clips) for f, n, _, box in one.people], truth)
    return {
        "person_ap50": area,
        "person_recall_by_height_px": by_height,
        "mota": tracks.mota,
        "idf1": tracks.idf1,
        "identity_switches": tracks.switches,
    }


def of_clip(outcome: Outcome) -> dict[str, object]:
    """The keys of one clip."""
    return {
        "truths": outcome.ours.truths,
        "found": outcome.ours.found,
        "false": outcome.ours.false,
        "repeats": outcome.ours.repeats,
        "full_decode_found": outcome.full.found,
        "gate_recall": outcome.gate.recall,
        "decoded_fraction": round(outcome.decoded / outcome.packets, 3),
        "latency_p50_s": outcome.ours.latency(0.5),
        "seconds": round(outcome.seconds, 1),
        "events": outcome.by_rule,
        **{name: {"found": one.found, "false": one.false} for name, one in outcome.baselines.items()},
    }


def of_case(outcome: Outcome) -> dict[str, object]:
    """The keys of a made case: everything in it is false."""
    per_minute = {name: round(count * 60 / outcome.seconds, 2) for name, count in outcome.by_rule.items()}
    baselines = {name: round(one.false * 60 / outcome.seconds, 2) for name, one in outcome.baselines.items()}
    return {"events_per_minute": per_minute, "decoded_fraction": round(outcome.decoded / outcome.packets, 3), **baselines}


def _measure(name: str) -> Outcome:
    """The outcome of a labelled clip or a made case, by its name. In a process of its own."""
    cv2.setNumThreads(1)
    clip = next((clip for clip in CLIPS if clip.name == name), None)
    return outcome_of(film_of(clip) if clip is not None else make(*name.split("/")), load_networks([], "none"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    parser.add_argument("--only", default="", help="clips and cases whose name contains this")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    clips = [clip.name for clip in CLIPS if options.only in clip.name]
    cases = [f"{case}/{scene}" for case, (_, scenes) in CASES.items() for scene in scenes if options.only in f"{case}/{scene}"]
    with ProcessPoolExecutor(options.processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        done, made = list(pool.map(_measure, clips)), list(pool.map(_measure, cases))
    result: dict[str, object] = summary(done) if done else {}
    if any(one.people for one in done):
        result |= people_summary(done)
    if made:
        result |= {f"made_{key}": value for key, value in summary(made).items() if "false_per" in key or key == "camera_hours"}
    if done and made:
        everything = summary(done + made)
        result |= {f"all_{key}": value for key, value in everything.items() if "false_per" in key or key == "camera_hours"}
    result |= {
        "clips": {one.name: of_clip(one) for one in done},
        "cases": {one.name: of_case(one) for one in made},
        "machine": machine(),
        "opencv": cv2.__version__,
    }
    if not options.json:
        for name, value in result.items():
            print(f"{name}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
