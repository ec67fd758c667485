"""Who moves when: a timetable for one loop, drawn by lot from the routes of a place, with exactly one trespasser."""

from dataclasses import dataclass, field

import numpy as np

from ingest.simulate.clip import SceneSpec
from ingest.simulate.figure import Figure, Stand
from ingest.simulate.people import Bike, Person, bicycle, dress, scooter, walker
from ingest.simulate.routes import Route, Track, follow
from ingest.simulate.texture import Colour
from ingest.simulate.vehicles import CAR_COLOURS, CarShape, car_figure, car_footprint, car_shapes
from ingest.simulate.view import Array
from ingest.simulate.ways import Ways

__all__ = ["Actor", "write_script"]

_TRESPASS_S = (20.0, 32.0)  # when in the loop the trespasser enters the forbidden zone
_LEAST_TRESPASS_S = 8.0
_EDGE_S = 0.4  # nobody is about at the very ends of the loop, so that it joins
_TRIES = 14  # starting times tried for one actor
_CLEAR_PX = 9.0  # how far outside the zone the feet of everybody else stay
_WANTED = {
    "day": {"walk": 6, "ride": 3, "car": 4},
    "rain": {"walk": 4, "ride": 2, "car": 4},
    "night": {"walk": 3, "ride": 2, "car": 3},
}
_ROOM = {"walk": (0.0, 0.35), "ride": (0.5, 0.5), "car": (1.5, 1.25)}  # discs at the middle and both ends: reach, radius; metres
_BIKES: tuple[Colour, ...] = ((50, 50, 52), (150, 90, 40), (60, 60, 170), (200, 200, 202), (70, 120, 70))
_BOXES: tuple[Colour, ...] = ((40, 190, 240), (200, 120, 30))  # couriers' yellow and blue


@dataclass(frozen=True, eq=False)
class Actor:
    """One moving thing: what it is, where it is when, and how it is drawn. A car has a shape, everything else a person."""

    number: int
    label: str  # person, cyclist, car
    track: Track
    trespass: bool
    route: int  # among the place's routes; -1 for the trespasser
    person: Person | None = None
    bike: Bike | None = None
    car: CarShape | None = None
    body: Figure | None = None  # set iff it is a car
    lights: bool = False

    def stand(self, frame: int) -> Stand | None:
        """Where it stands at `frame`; None before and after."""
        at = frame - self.track.first
        if not 0 <= at < len(self.track):
            return None
        x, y = self.track.xy[at].tolist()
        return Stand(x, y, float(self.track.heading[at]))

    def figure(self, frame: int) -> Figure:
        """What it is made of at `frame`, in its own axes."""
        if self.body is not None:
            return self.body
        gone, speed = (float(column[frame - self.track.first]) for column in (self.track.gone, self.track.speed))
        assert self.person is not None
        if self.bike is None:
            return walker(self.person, gone, speed)
        return scooter(self.person, self.bike) if self.bike.scooter else bicycle(self.person, self.bike, gone)

    def contact(self, stand: Stand) -> Array:
        """The ground it covers, (N, 2)."""
        if self.car is not None:
            return car_footprint(self.car, stand)
        long, wide = (0.75, 0.16) if self.bike is not None else (0.24, 0.2)
        turns = np.linspace(0, 2 * np.pi, 9)[:-1]
        ring = np.column_stack([np.cos(turns) * long, np.sin(turns) * wide, np.zeros(8)]).astype(np.float32)
        return stand.world(ring)[:, :2]


def write_script(spec: SceneSpec, ways: Ways) -> tuple[Actor, ...]:
    """The actors of one loop; deterministic. Number 0 is the trespasser, the only one ever in the forbidden zone."""
    rng = np.random.default_rng([7, sum(spec.scene.encode()), sum(spec.light.encode()), spec.variant])
    writer = _Writer(spec, ways, rng)
    if spec.trespass:
        writer.add_trespasser()
    for index, route in enumerate(ways.routes):
        if route.guard:
            writer.add(index)
    kinds = [kind for kind, count in _WANTED[spec.light].items() for _ in range(round(count * spec.loop_s / 60))]
    for kind in [kinds[index] for index in rng.permutation(len(kinds))]:
        writer.add_some(kind)
    return tuple(writer.actors)


@dataclass(eq=False)
class _Writer:
    """Adds one actor after another, at times at which nobody runs into anybody."""

    spec: SceneSpec
    ways: Ways
    rng: np.random.Generator
    actors: list[Actor] = field(default_factory=list)
    taken: list[tuple[int, Array, float]] = field(default_factory=list)  # first frame, discs (N, 3, 2), their radius

    def add_trespasser(self) -> None:
        route = self.ways.trespass[self.spec.variant % len(self.ways.trespass)]
        track = follow(route, self.rng, 0.0, self.spec.fps)
        inside = np.flatnonzero(self.ways.margin(track.xy) > 0)
        if len(inside) < _LEAST_TRESPASS_S * self.spec.fps:
            raise ValueError(f"{self.spec.name}: the trespasser is in the zone for only {len(inside) / self.spec.fps:.1f} s")
        earliest, latest = _TRESPASS_S
        earliest = max(earliest, _EDGE_S + (int(inside[0]) + 1) / self.spec.fps)
        latest = min(latest, self.spec.loop_s - _EDGE_S - (len(track) - int(inside[0])) / self.spec.fps)
        if latest <= earliest:
            raise ValueError(f"{self.spec.name}: the trespasser does not leave before the loop of {self.spec.loop_s:g} s ends")
        first = round(float(self.rng.uniform(earliest, latest)) * self.spec.fps) - int(inside[0])
        self._keep(route, -1, Track(first, track.xy, track.heading, track.gone, track.speed))

    def add_some(self, kind: str) -> bool:
        """One more of `kind`, on the route least used so far; False if there is no room."""
        used = [actor.route for actor in self.actors]
        options = [index for index, route in enumerate(self.ways.routes) if route.kind == kind and not route.guard]
        options.sort(key=lambda index: (used.count(index), self.rng.random()))
        return any(self.add(index) for index in options)

    def add(self, index: int) -> bool:
        """Somebody on this route; False if no starting time was found."""
        route = self.ways.routes[index]
        for _ in range(_TRIES):
            track = follow(route, self.rng, 0.0, self.spec.fps)
            latest_s = self.spec.loop_s - 2 * _EDGE_S - len(track) / self.spec.fps
            if latest_s <= 0 or self.ways.margin(track.xy[::2]).max() > -_CLEAR_PX:
                continue
            first = round((_EDGE_S + float(self.rng.uniform(0, latest_s))) * self.spec.fps)
            held = tuple((first + a, first + b) for a, b in track.held)
            track = Track(first, track.xy, track.heading, track.gone, track.speed, held)
            if self._free(route.kind, track):
                self._keep(route, index, track)
                return True
        return False

    def _free(self, kind: str, track: Track) -> bool:
        """Whether nobody else comes too near at any moment."""
        discs, radius = _discs(kind, track)
        for first, others, other_radius in self.taken:
            start, end = max(first, track.first), min(first + len(others), track.end)
            if end <= start:
                continue
            ours, theirs = discs[start - track.first : end - track.first], others[start - first : end - first]
            apart = np.linalg.norm(ours[:, :, None] - theirs[:, None], axis=-1)
            if float(apart.min()) < radius + other_radius:
                return False
        return True

    def _keep(self, route: Route, index: int, track: Track) -> None:
        rng, spec, number = self.rng, self.spec, len(self.actors)
        self.taken.append((track.first, *_discs(route.kind, track)))
        if route.kind == "car":
            shapes = car_shapes()
            shape, colour = shapes[int(rng.integers(len(shapes)))], CAR_COLOURS[int(rng.integers(len(CAR_COLOURS)))]
            lights = spec.light != "day"
            body = car_figure(shape, colour, lights)
            self.actors.append(Actor(number, "car", track, False, index, car=shape, body=body, lights=lights))
            return
        person = dress(rng, spec.light == "rain" and route.kind == "walk" and index >= 0, route.guard)
        bike = None
        if route.kind == "ride":
            scooter = bool(rng.random() < 0.5)
            box = _BOXES[int(rng.integers(len(_BOXES)))] if scooter and rng.random() < 0.5 else None
            bike = Bike(_BIKES[int(rng.integers(len(_BIKES)))], scooter, box)
        label = "cyclist" if bike is not None else "person"
        self.actors.append(Actor(number, label, track, index < 0, index, person=person, bike=bike))


def _discs(kind: str, track: Track) -> tuple[Array, float]:
    """Three discs along each position, (N, 3, 2), and their radius."""
    reach, radius = _ROOM[kind]
    way = np.stack([np.cos(track.heading), np.sin(track.heading)], axis=-1) * reach
    return np.stack([track.xy - way, track.xy, track.xy + way], axis=1), radius
