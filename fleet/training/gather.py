"""Everything a training run learns from, in one call."""

from dataclasses import dataclass
from pathlib import Path

from fleet.training.clips import TRAINING_CLIPS
from fleet.training.dataset import Crops, collect, no_crops
from fleet.training.scenes import drawn_crops
from fleet.training.teacher import label_clip, load_teacher

__all__ = ["Sources", "gather"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where clips and teacher lie, and where labels and drawn crops are kept between runs (None: nowhere)."""

    data: Path
    weights: Path
    cache: Path | None


def gather(sources: Sources, made: int, scenes: int, seed: int, left_out: str = "") -> Crops:
    """Crops of all training clips but `left_out`, of `scenes` variants of each drawn scene, and made ones, see `collect`."""
    teacher = load_teacher(sources.weights)
    used = [clip for clip in TRAINING_CLIPS if clip.name != left_out]
    clips = [label_clip(clip, sources.data, teacher, sources.cache) for clip in used]
    drawn = drawn_crops(scenes, seed, sources.cache) if scenes else no_crops()
    return collect(clips, drawn, made, seed)
