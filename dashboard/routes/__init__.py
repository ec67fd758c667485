"""The routes, one module per noun of the API. Each route names its path in full and its policy.

In: requests, validated by `dashboard.schemas` and let through by `dashboard.policy`. Out: answers, and updates for the other
pages. Read `incidents.py` first.
"""

from dashboard.routes import (
    assessment,
    cameras,
    checkpoint_codes,
    clips,
    coverage,
    desks,
    drills,
    handover,
    holds,
    incidents,
    ledger,
    live,
    me,
    notices,
    operations,
    overview,
    photos,
    roster,
    rounds,
    session,
    site,
    support,
    teams,
    updates,
    users,
)

__all__ = ["ROUTERS"]

ROUTERS = (
    operations.router,
    session.router,
    site.router,
    cameras.router,
    live.router,
    overview.router,
    coverage.router,
    incidents.router,
    clips.router,
    photos.router,
    teams.router,
    roster.router,
    support.router,
    rounds.router,
    checkpoint_codes.router,
    drills.router,
    notices.router,
    desks.router,
    handover.router,
    holds.router,
    ledger.router,
    assessment.router,
    users.router,
    me.router,
    updates.router,
)
