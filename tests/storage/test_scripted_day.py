"""A scripted day against plain SQL: every mark of every clock and every figure, worked out a second time, to the second.

The SQL below knows nothing of the code: limits, shares and working hours are written here once more by hand.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from base import SimulatedClock
from camera_config.time_limits import LimitedStep
from patrol.assessment import Assessment, DeskFigures, Figures, GroupBy, Timing
from patrol.steps import Verdict
from storage import AssessmentOf, Store
from tests.storage.day import BEGIN_S, END_S, EVENTS, ROUNDS, Day, day_site

BOUND = 0.0005  # seconds: what rounding of doubles may add up to


@dataclass
class Played:
    day: Day
    by: dict[GroupBy, Assessment]
    desks: dict[str, DeskFigures]
    sql: sqlite3.Connection


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The day, its assessment, and the database of it, read only."""
    path = tmp_path_factory.mktemp("day") / "gridpatrol.db"
    clock = SimulatedClock(BEGIN_S)
    store = Store.open(f"sqlite:///{path}", clock, day_site())
    try:
        day = Day(store, clock)
        day.run()
        asked = AssessmentOf(BEGIN_S, END_S, clock.now_s())
        found = {by: store.ledger.assessment(asked, by) for by in (GroupBy.GRID_CELL, GroupBy.TEAM, GroupBy.MONTH)}
    finally:
        store.close()
    sql = _open(path)
    yield Played(day, {by: figures for by, (figures, _) in found.items()}, found[GroupBy.TEAM][1], sql)
    sql.close()


def _open(path: Path) -> sqlite3.Connection:
    sql = sqlite3.connect(path)
    sql.row_factory = sqlite3.Row
    sql.executescript(_VIEWS)
    return sql


_TURNS = "'acknowledge', 'dispatch', 'accept', 'refuse', 'arrive', 'report', 'verify', 'close', 'reopen', 'merge', 'withdrawn'"

_VIEWS = f"""
CREATE TEMP TABLE limits (severity, due, minutes);
INSERT INTO limits VALUES
  (1, 'acknowledge', 1), (1, 'dispatch', 1), (1, 'accept', 1), (1, 'arrive', 5), (1, 'report', 30), (1, 'verify', 30),
  (2, 'acknowledge', 1.5), (2, 'dispatch', 3), (2, 'accept', 2), (2, 'arrive', 10), (2, 'report', 60), (2, 'verify', 120),
  (3, 'acknowledge', 10), (3, 'dispatch', 15), (3, 'accept', 5), (3, 'arrive', 30), (3, 'report', 120),
  (4, 'acknowledge', 60), (4, 'dispatch', 120), (4, 'accept', 15), (4, 'arrive', 120), (4, 'report', 240),
  (1, 'close', 120), (2, 'close', 480), (3, 'close', 1440), (4, 'close', 4320);
CREATE TEMP TABLE shares (share, step, level);
INSERT INTO shares VALUES (0.8, 'warned', NULL), (1.0, 'breached', 'cell'),
  (1.5, 'escalated', 'section'), (2.0, 'escalated', 'community'), (3.0, 'escalated', 'sub_district');
-- The hours in which a clock runs: all of them, or from 08:00 to 18:00 of the day.
CREATE TEMP TABLE hours (working, begin_s, end_s);
INSERT INTO hours VALUES (0, 0, 1e12), (1, {BEGIN_S} + 8 * 3600, {BEGIN_S} + 18 * 3600);

-- Lines of history that end one clock and begin the next.
CREATE TEMP VIEW turns AS
SELECT incident, version, step, work, team, recorded_s, CASE WHEN version = 1 THEN recorded_s ELSE at_s END AS at_s
FROM history WHERE version = 1 OR step IN ({_TURNS});

-- From one turn to the next: which step was due, when it ended, and when that was learned of.
CREATE TEMP TABLE spans AS
SELECT t.*, i.severity, i.grid_cell, i.drill, i.verdict,
  CASE t.work
    WHEN 'new' THEN 'acknowledge' WHEN 'acknowledged' THEN 'dispatch' WHEN 'dispatched' THEN 'accept'
    WHEN 'accepted' THEN 'arrive' WHEN 'on_scene' THEN 'report' WHEN 'verified' THEN 'close'
    WHEN 'reported' THEN CASE WHEN i.severity <= 2 THEN 'verify' ELSE 'close' END
  END AS due
FROM (
  SELECT incident, work, version AS from_version, at_s AS from_s,
    coalesce(lead(version) OVER w, 1000000) AS to_version,
    lead(at_s) OVER w AS to_s, lead(step) OVER w AS ended_by, lead(team) OVER w AS by_team,
    coalesce(lead(recorded_s) OVER w, {END_S}) AS known_s
  FROM turns WINDOW w AS (PARTITION BY incident ORDER BY version)
) AS t JOIN incidents AS i ON i.id = t.incident
WHERE t.work <> 'closed';

-- Within a span, from one line that starts or stops the clock to the next.
CREATE TEMP TABLE pieces AS
SELECT s.incident, s.from_version, p.running, p.begin_s, min(coalesce(p.end_s, s.known_s), s.known_s) AS end_s
FROM spans AS s JOIN (
  SELECT incident, version, step <> 'pause' AS running,
    CASE WHEN version = 1 THEN recorded_s ELSE at_s END AS begin_s,
    lead(CASE WHEN step IN ('pause', 'resume', 'depart') THEN at_s END) OVER w AS end_s
  FROM history WHERE version = 1 OR step IN ('pause', 'resume', 'depart', {_TURNS})
  WINDOW w AS (PARTITION BY incident ORDER BY version)
) AS p ON p.incident = s.incident AND p.version >= s.from_version AND p.version < s.to_version;

-- The running pieces cut by the hours that count, with how much was counted before each.
CREATE TEMP TABLE counted AS
SELECT *, sum(end_s - begin_s) OVER (PARTITION BY incident, from_version ORDER BY begin_s) - (end_s - begin_s) AS before_s
FROM (
  SELECT s.incident, s.from_version, s.due, 60.0 * l.minutes AS limit_s, s.known_s,
    max(p.begin_s, h.begin_s) AS begin_s, min(p.end_s, h.end_s) AS end_s
  FROM spans AS s
  JOIN limits AS l ON l.severity = s.severity AND l.due = s.due
  JOIN pieces AS p ON p.incident = s.incident AND p.from_version = s.from_version AND p.running
  JOIN hours AS h ON h.working = (s.severity >= 3 AND s.due IN ('dispatch', 'close'))
) WHERE end_s > begin_s;

-- Every mark: where the counted time reaches its share of the limit.
CREATE TEMP VIEW marks AS
SELECT c.incident, c.due AS clock, m.step, m.level, c.begin_s + m.share * c.limit_s - c.before_s AS at_s
FROM counted AS c JOIN shares AS m
  ON m.share * c.limit_s > c.before_s AND m.share * c.limit_s <= c.before_s + (c.end_s - c.begin_s) + {BOUND};

-- What counts in the figures: runs that the due step ended, and those that were late when something else did.
CREATE TEMP TABLE runs AS
SELECT s.grid_cell, s.incident,
  coalesce((SELECT b.team FROM history AS b WHERE s.ended_by IS NULL AND b.incident = s.incident
    AND b.version > s.from_version AND b.step = 'breached'), s.by_team) AS team,
  CASE WHEN s.in_due THEN s.ended_by ELSE s.due END AS step,
  CASE WHEN s.in_due THEN s.to_s - s.from_s - s.paused_s END AS took_s, NOT s.late AS in_time
FROM (
  SELECT spans.*,
    (ended_by = due OR (work = 'reported' AND ended_by = 'close')) IS TRUE AS in_due,
    EXISTS (SELECT 1 FROM history AS b WHERE b.incident = spans.incident AND b.version > from_version
      AND b.version < to_version AND b.step = 'breached' AND b.at_s <= coalesce(to_s, b.at_s)) AS late,
    coalesce((SELECT sum(max(0, min(p.end_s, coalesce(to_s, p.end_s)) - p.begin_s)) FROM pieces AS p
      WHERE p.incident = spans.incident AND p.from_version = spans.from_version AND NOT p.running), 0) AS paused_s
  FROM spans WHERE NOT drill AND coalesce(verdict, '') <> 'duplicate'
) AS s WHERE s.in_due OR s.late;

CREATE TEMP VIEW stops AS
SELECT r.id AS round, r.team, j.value ->> 'grid_cell' AS grid_cell, j.value ->> 'checkpoint' AS checkpoint,
  j.value ->> 'from_s' AS from_s, j.value ->> 'until_s' AS until_s,
  (SELECT min(e.at_s) FROM round_entries AS e WHERE e.round = r.id AND e.checkpoint = j.value ->> 'checkpoint'
    AND e.proof IS NOT NULL AND e.proof <> 'none') AS at_s,
  EXISTS (SELECT 1 FROM round_entries AS e WHERE e.round = r.id AND e.checkpoint = j.value ->> 'checkpoint'
    AND e.act = 'skip') AS skipped
FROM rounds AS r, json_each(r.stops) AS j WHERE r.due_s < {END_S} AND r.state NOT IN ('due', 'under_way');
"""


def test_the_day_has_what_it_should(played: Played) -> None:
    counts = {
        "events": "SELECT count(*) FROM events",
        "rounds": f"SELECT count(*) FROM rounds WHERE due_s < {END_S}",
        "handovers": "SELECT count(*) FROM handovers WHERE confirmed_s IS NOT NULL",
    }
    assert {name: played.sql.execute(query).fetchone()[0] for name, query in counts.items()} == {
        "events": EVENTS,
        "rounds": ROUNDS,
        "handovers": 3,
    }
    steps = {row[0] for row in played.sql.execute("SELECT DISTINCT step FROM history")}
    assert steps >= {"refuse", "reopen", "merge", "pause", "resume", "escalated", "marked_drill", "shelve", "unshelved"}
    flags = {flag for row in played.sql.execute("SELECT DISTINCT flags FROM history") for flag in json.loads(row[0])}
    assert "late" in flags


def test_every_mark_of_every_clock_was_told_once_at_its_moment(played: Played) -> None:
    expected = _rows(played, "SELECT incident, clock, step, level, at_s FROM marks ORDER BY 1, 5, 3, 4")
    told = _rows(
        played,
        "SELECT incident, clock, step, level, at_s FROM history "
        "WHERE step IN ('warned', 'breached', 'escalated') ORDER BY 1, 5, 3, 4",
    )
    assert len(told) > 500
    assert [row[:4] for row in told] == [row[:4] for row in expected]
    assert max(abs(mine[4] - other[4]) for mine, other in zip(told, expected, strict=True)) < BOUND


def test_every_mark_of_every_referral_was_told_once_at_its_moment(played: Played) -> None:
    """The desk is always open: 20 min to accept, 60 min to each feedback, both without pauses."""
    query = f"""
    WITH lines AS (
      SELECT referral, version, state, at_s, lead(at_s) OVER w AS to_s FROM referral_entries
      WHERE step IN ('refer', 'receive', 'feedback', 'done', 'return', 'withdraw')
      WINDOW w AS (PARTITION BY referral ORDER BY version)
    )
    SELECT l.referral, m.step, m.level, l.at_s + m.share * CASE l.state WHEN 'sent' THEN 1200 ELSE 3600 END AS at_s
    FROM lines AS l JOIN shares AS m ON l.at_s + m.share * CASE l.state WHEN 'sent' THEN 1200 ELSE 3600 END
      <= coalesce(l.to_s, {END_S})
    WHERE l.state IN ('sent', 'accepted') ORDER BY 1, 4, 2, 3
    """
    expected = _rows(played, query)
    told = _rows(
        played,
        "SELECT referral, step, level, at_s FROM referral_entries "
        "WHERE step IN ('warned', 'breached', 'escalated') ORDER BY 1, 4, 2, 3",
    )
    assert len(told) > 20
    assert [row[:3] for row in told] == [row[:3] for row in expected]
    assert max(abs(mine[3] - other[3]) for mine, other in zip(told, expected, strict=True)) < BOUND


@pytest.mark.parametrize("step", LimitedStep)
def test_times_and_shares_of_every_step(played: Played, step: LimitedStep) -> None:
    everything = played.by[GroupBy.GRID_CELL]
    _assert_timing(played, everything.all.timings[step], f"step = '{step}'")
    for cell, figures in everything.groups.items():
        _assert_timing(played, figures.timings[step], f"step = '{step}' AND grid_cell = '{cell}'")
    for team, figures in played.by[GroupBy.TEAM].groups.items():
        if step in (LimitedStep.ACCEPT, LimitedStep.ARRIVE, LimitedStep.REPORT):
            _assert_timing(played, figures.timings[step], f"step = '{step}' AND team = '{team}'")
        else:
            assert figures.timings[step].runs == 0


def _assert_timing(played: Played, timing: Timing, where: str) -> None:
    query = f"""
    WITH mine AS (SELECT * FROM runs WHERE {where}),
      ranked AS (SELECT took_s, row_number() OVER (ORDER BY took_s) AS rank FROM mine WHERE took_s IS NOT NULL)
    SELECT (SELECT count(took_s) FROM mine), (SELECT count(*) FROM mine), (SELECT coalesce(sum(in_time), 0) FROM mine),
      (SELECT took_s FROM ranked WHERE rank = ((SELECT count(*) FROM ranked) + 1) / 2),
      (SELECT took_s FROM ranked WHERE rank = ((SELECT count(*) FROM ranked) * 9 + 9) / 10)
    """
    count, runs, in_time, median_s, p90_s = played.sql.execute(query).fetchone()
    assert (timing.count, timing.runs, timing.in_time) == (count, runs, in_time), where
    assert timing.median_s == pytest.approx(median_s, abs=BOUND), where
    assert timing.p90_s == pytest.approx(p90_s, abs=BOUND), where


def test_counts_rates_and_times_to_closing(played: Played) -> None:
    query = """
    SELECT count(*) FILTER (WHERE verdict IS NULL OR verdict <> 'duplicate') AS opened,
      count(*) FILTER (WHERE verdict IN ('true', 'suspicious', 'false_alarm')) AS closed,
      count(*) FILTER (WHERE verdict = 'true') AS "true", count(*) FILTER (WHERE verdict = 'suspicious') AS suspicious,
      count(*) FILTER (WHERE verdict = 'false_alarm') AS false_alarm, count(*) FILTER (WHERE verdict = 'duplicate') AS duplicate
    FROM (
      SELECT i.grid_cell, (SELECT h.verdict FROM history AS h WHERE h.incident = i.id AND h.version =
          (SELECT max(version) FROM history AS l WHERE l.incident = i.id AND l.step IN ('close', 'merge', 'reopen'))) AS verdict
      FROM incidents AS i WHERE NOT i.drill
    ) WHERE ? IN ('', grid_cell)
    """
    everything = played.by[GroupBy.GRID_CELL]
    for cell, figures in {"": everything.all, **everything.groups}.items():
        row = played.sql.execute(query, (cell,)).fetchone()
        assert (figures.opened, figures.closed) == (row["opened"], row["closed"])
        assert dict(figures.verdicts) == {verdict: row[verdict.value] for verdict in Verdict}
        assert figures.closing_rate == row["closed"] / row["opened"]
        assert figures.false_alarm_rate == row["false_alarm"] / row["closed"]
    totals = """
    SELECT (SELECT max(h.at_s) FROM history AS h WHERE h.incident = i.id AND h.step = 'close')
      - (SELECT h.recorded_s FROM history AS h WHERE h.incident = i.id AND h.version = 1) AS took_s
    FROM incidents AS i WHERE NOT drill AND work = 'closed' AND verdict <> 'duplicate' ORDER BY 1
    """
    took_s = [row[0] for row in played.sql.execute(totals)]
    total = everything.all.total
    assert total.count == len(took_s)
    assert total.median_s == pytest.approx(took_s[(len(took_s) + 1) // 2 - 1], abs=BOUND)


def test_how_complete_the_rounds_were(played: Played) -> None:
    query = """
    SELECT count(*) AS stops, count(at_s) AS visited, count(*) FILTER (WHERE at_s BETWEEN from_s AND until_s) AS on_time,
      count(*) FILTER (WHERE at_s > until_s) AS late, count(*) FILTER (WHERE at_s IS NULL AND skipped) AS skipped,
      count(*) FILTER (WHERE at_s IS NULL AND NOT skipped) AS missed
    FROM stops WHERE ? IN ('', grid_cell) AND ? IN ('', team)
    """
    cells, teams = played.by[GroupBy.GRID_CELL], played.by[GroupBy.TEAM]
    asked: list[tuple[str, str, Figures]] = [("", "", cells.all)]
    asked += [(cell, "", figures) for cell, figures in cells.groups.items()]
    asked += [("", team, figures) for team, figures in teams.groups.items()]
    for cell, team, figures in asked:
        row = played.sql.execute(query, (cell, team)).fetchone()
        patrol = figures.patrol
        found = (patrol.stops, patrol.visited, patrol.on_time, patrol.late, patrol.skipped, patrol.missed)
        assert found == (row["stops"], row["visited"], row["on_time"], row["late"], row["skipped"], row["missed"]), (cell, team)
    assert cells.all.patrol.missed > 0
    assert played.by[GroupBy.MONTH].groups["2023-11"].patrol == cells.all.patrol


def test_every_missed_stop_was_told_at_the_end_of_its_window(played: Played) -> None:
    query = "SELECT round, checkpoint, until_s FROM stops WHERE (at_s IS NULL OR at_s >= until_s) AND NOT skipped ORDER BY 1, 2"
    told = "SELECT e.round, e.checkpoint, e.at_s FROM round_entries AS e WHERE e.act = 'missed' ORDER BY 1, 2"
    assert _rows(played, told) == _rows(played, query)


def test_referrals_by_desk(played: Played) -> None:
    query = """
    SELECT count(*), count(*) FILTER (WHERE late = 0), max(took_s) FROM (
      SELECT r.at_s - s.at_s AS took_s, EXISTS (SELECT 1 FROM referral_entries AS b WHERE b.referral = r.referral
        AND b.step = 'breached' AND b.clock = 'receive') AS late
      FROM referral_entries AS r JOIN referral_entries AS s ON s.referral = r.referral AND s.step = 'refer'
      JOIN referrals AS f ON f.id = r.referral JOIN incidents AS i ON i.id = f.incident AND NOT i.drill
      WHERE r.step = 'receive'
    )
    """
    count, in_time, _ = played.sql.execute(query).fetchone()
    desk = played.desks["mediation"]
    assert (desk.receipt.count, desk.receipt.in_time) == (count, in_time)
    sent = "SELECT count(*) FROM referrals JOIN incidents AS i ON i.id = incident WHERE NOT i.drill"
    assert desk.sent == sum(desk.states.values()) == played.sql.execute(sent).fetchone()[0]


def test_each_sheet_holds_what_was_open_then(played: Played) -> None:
    query = """
    SELECT i.number, h.work FROM incidents AS i JOIN history AS h ON h.incident = i.id
      AND h.version = (SELECT max(version) FROM history AS l WHERE l.incident = i.id AND l.recorded_s <= :at)
    WHERE h.work <> 'closed' ORDER BY 1
    """
    pending = """
    SELECT count(*) FROM referral_entries AS e WHERE e.state IN ('sent', 'accepted')
      AND e.version = (SELECT max(version) FROM referral_entries AS l WHERE l.referral = e.referral AND l.recorded_s <= :at)
    """
    for made in played.day.handovers:
        content = json.loads(made.content)
        at = {"at": made.made_s}
        found = sorted((line["number"], line["work"]) for line in content["incidents"])
        assert found == [tuple(row) for row in played.sql.execute(query, at)]
        assert len(content["referrals"]) == played.sql.execute(pending, at).fetchone()[0]
        assert made.sha256 == hashlib.sha256(made.content.encode()).hexdigest()
        assert made.incoming is not None
        assert made.incoming.id != made.outgoing.id
    assert [len(json.loads(made.content)["cameras_offline"]) for made in played.day.handovers] == [1, 1, 1]


def _rows(played: Played, query: str) -> list[tuple[Any, ...]]:  # Any: columns of different types
    return [tuple(row) for row in played.sql.execute(query)]
