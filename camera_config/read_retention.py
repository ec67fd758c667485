"""`[retention]` of `site.toml`: how long what is stored is kept."""

from camera_config.entry import Entry
from camera_config.retention_rules import DEFAULTS, MAX_GB, Keep, Kept, RetentionRules

__all__ = ["RETENTION_KEYS", "read_retention"]

RETENTION_KEYS = (*(f"{kept}_{end}" for kept in Kept for end in ("min_days", "max_days")), "pictures_max_gb", "clips_max_gb")

_LONGEST_DAYS = 36_500


def read_retention(entry: Entry) -> RetentionRules:
    """The rules of one `[retention]` table, noting what is wrong."""
    entry.only(RETENTION_KEYS)
    keeps = {kept: _keep(entry, kept) for kept in Kept}
    # A picture belongs to an event and an event to an incident: none outlives what it belongs to.
    for part, whole in ((Kept.PICTURES, Kept.EVENTS), (Kept.EVENTS, Kept.INCIDENTS)):
        if keeps[part].max_days > keeps[whole].max_days:
            entry.refuse(f"{part}_max_days", f"expected at most {whole}_max_days, {keeps[whole].max_days:g}")
    pictures_gb = entry.number("pictures_max_gb", 0.001, 1e6, MAX_GB)
    clips_gb = entry.number("clips_max_gb", 0.001, 1e6, MAX_GB)
    return RetentionRules(
        **{kept.value: keep for kept, keep in keeps.items()}, pictures_max_gb=pictures_gb, clips_max_gb=clips_gb
    )


def _keep(entry: Entry, kept: Kept) -> Keep:
    least = entry.number(f"{kept}_min_days", 0, _LONGEST_DAYS, DEFAULTS[kept].min_days)
    most = entry.number(f"{kept}_max_days", 0, _LONGEST_DAYS, DEFAULTS[kept].max_days)
    if most < least:
        entry.refuse(f"{kept}_max_days", f"expected at least {kept}_min_days, {least:g}")
    return Keep(least, most)
