"""The routes, one module per noun of the API. Each route names its path in full and its policy.

In: requests, validated by `dashboard.schemas` and let through by `dashboard.policy`. Out: answers, and updates for the other
pages. Read `incidents.py` first.
"""

from dashboard.routes import cameras, incidents, live, me, operations, session, site, teams, updates, users

__all__ = ["ROUTERS"]

ROUTERS = (
    operations.router,
    session.router,
    site.router,
    cameras.router,
    live.router,
    incidents.router,
    teams.router,
    users.router,
    me.router,
    updates.router,
)
