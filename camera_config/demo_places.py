"""The places of the demo sub-district, from its ground plan: names, ids, and who belongs to whom."""

import random
from collections import Counter
from dataclasses import dataclass

from shapely.geometry import Polygon

from camera_config.demo_layout import BlockPlan, DistrictPlan
from camera_config.demo_names import COMMUNITIES, COMPOUND_SUFFIX, CROSS_ROAD, DISTRICT, MAIN_AVENUE, STEMS
from camera_config.site import CompoundKind, Name, Place, PlaceKind

__all__ = ["NamedPlan", "make_places", "name_plan"]

_HOUSEHOLDS = (260, 490)  # of a grid cell of homes, within the usual 250 to 500


@dataclass(frozen=True, slots=True)
class NamedPlan:
    """A ground plan whose compounds, communities and cells have ids and names; all tuples run parallel to those of the plan."""

    drawn: DistrictPlan
    compound_id: tuple[str, ...]
    compound_name: tuple[Name, ...]
    community_id: tuple[str, ...]
    community_name: tuple[Name, ...]
    cell_id: tuple[tuple[str, ...], ...]  # of each compound


def name_plan(rng: random.Random, drawn: DistrictPlan) -> NamedPlan:
    """Ids such as compound-07 and grid-03-12 (community 3, cell 12), and made-up names."""
    counts: Counter[int] = Counter()
    cell_ids = []
    for block in drawn.blocks:
        ids = []
        for _ in block.cells:
            counts[block.community] += 1
            ids.append(f"grid-{block.community + 1:02d}-{counts[block.community]:02d}")
        cell_ids.append(tuple(ids))
    return NamedPlan(
        drawn,
        tuple(f"compound-{index + 1:02d}" for index in range(len(drawn.blocks))),
        _compound_names(rng, drawn.blocks),
        tuple(f"community-{index + 1}" for index in range(len(drawn.communities))),
        COMMUNITIES[: len(drawn.communities)],
        tuple(cell_ids),
    )


def make_places(rng: random.Random, plan: NamedPlan) -> tuple[Place, ...]:
    """All places from the top down, each parent before its children."""
    ring = plan.drawn.plan.ring
    top = Name(f"{DISTRICT.zh}街道", f"{DISTRICT.en} Sub-district")
    places = [Place("sub-district", PlaceKind.SUB_DISTRICT, top, "", ring(plan.drawn.outline))]
    for community_id, stem, outline in zip(plan.community_id, plan.community_name, plan.drawn.communities, strict=True):
        name = Name(f"{stem.zh}社区", f"{stem.en} Community")
        places.append(Place(community_id, PlaceKind.COMMUNITY, name, "sub-district", ring(outline)))
    for index, block in enumerate(plan.drawn.blocks):
        parent, name = plan.community_id[block.community], plan.compound_name[index]
        places.append(Place(plan.compound_id[index], PlaceKind.COMPOUND, name, parent, ring(block.outline), block.kind))
        places += [_cell(rng, plan, index, number, outline) for number, outline in enumerate(block.cells)]
        places += _buildings(plan, index, block)
    return tuple(places)


def _cell(rng: random.Random, plan: NamedPlan, index: int, number: int, outline: Polygon) -> Place:
    block, cell_id = plan.drawn.blocks[index], plan.cell_id[index][number]
    stem, short = plan.community_name[block.community], cell_id.removeprefix("grid-")
    return Place(
        id=cell_id,
        kind=PlaceKind.GRID_CELL,
        name=Name(f"{stem.zh}{int(short[3:])}号网格", f"{stem.en} Grid {int(short[3:])}"),
        parent=plan.compound_id[index],
        outline=plan.drawn.plan.ring(outline),
        responsible=f"网格员 {short}",
        households=rng.randint(*_HOUSEHOLDS) if block.kind is CompoundKind.RESIDENTIAL else None,
    )


def _buildings(plan: NamedPlan, index: int, block: BlockPlan) -> list[Place]:
    places: list[Place] = []
    for cell_id, buildings in zip(plan.cell_id[index], block.buildings, strict=True):
        for outline in buildings:
            number = len(places) + 1
            name = Name(f"{number}号楼", f"Building {number}")
            building_id = f"building-{index + 1:02d}-{number:02d}"
            places.append(Place(building_id, PlaceKind.BUILDING, name, cell_id, plan.drawn.plan.house_ring(outline)))
    return places


def _compound_names(rng: random.Random, blocks: tuple[BlockPlan, ...]) -> tuple[Name, ...]:
    """A stem of its own for each compound; roads are named by section."""
    stems = rng.sample(STEMS, len(STEMS))
    sections = [Name(f"{MAIN_AVENUE.zh}{part}段", f"{MAIN_AVENUE.en}, Section {n}") for n, part in enumerate("一二三四", 1)]
    sections += [Name(f"{CROSS_ROAD.zh}南段", f"{CROSS_ROAD.en} South"), Name(f"{CROSS_ROAD.zh}北段", f"{CROSS_ROAD.en} North")]
    counts: Counter[CompoundKind] = Counter()
    names = []
    for block in blocks:
        if block.kind is CompoundKind.ROAD:
            names.append(sections.pop(0))
            continue
        stem, suffixes = stems.pop(), COMPOUND_SUFFIX[block.kind]
        suffix = suffixes[counts[block.kind] % len(suffixes)]
        counts[block.kind] += 1
        names.append(Name(stem.zh + suffix.zh, f"{stem.en} {suffix.en}"))
    return tuple(names)
