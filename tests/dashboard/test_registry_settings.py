"""Desks, time limits and who is told, changed over HTTP: in the folder, the versions, the audit, and undone."""

from collections.abc import Iterator
from typing import Any

import pytest

from camera_config import load_site
from patrol import Step
from patrol.referral import ReferralCommand, ReferralStep
from tests.dashboard.test_registry import Office, an_office
from tests.patrol.small_site import LI, NOON_S, command, intrusion

JsonObject = dict[str, Any]  # Any: as JSON has it

DESK = {"id": "legal", "name_en": "Legal aid", "kind": "legal_aid", "receipt_min": 45, "users": ["chen"]}


@pytest.fixture(scope="module")
def one_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with an_office(tmp_path_factory.mktemp("settings")) as found:
        yield found


@pytest.fixture
def office(one_office: Office) -> Office:
    """The office as it was at first."""
    digest = one_office.get("")["site_digest"]
    one_office.send("POST", "/versions/1/restore", {"digest": digest})
    return one_office


def put(office: Office, which: str, values: JsonObject, status: int = 200) -> JsonObject:
    known = office.get(f"/settings/{which}")
    return office.send("PUT", f"/settings/{which}", {"digest": known["digest"], **values}, status)


def test_a_desk_is_added_shown_in_the_version_and_taken_back(office: Office) -> None:
    before = office.get("/settings/desks")
    [first] = before["tables"]["desk"]
    assert (before["file"], before["top"], first["id"]) == ("desks.toml", {}, "mediation")
    told = put(office, "desks", {"tables": {"desk": [first, DESK]}})
    assert told["counts"] == {"added": 0, "changed": 0, "removed": 0}
    _, desk = load_site(office.folder).desks
    assert (desk.id, desk.receipt_min, desk.users, desk.name.zh) == ("legal", 45.0, ("chen",), "Legal aid")
    assert office.get("/settings/desks")["tables"] == {"desk": [first, DESK]}
    newest = office.get("/versions")["items"][0]
    assert (newest["what"], newest["files"], newest["by"]) == ("settings_changed", ["desks.toml"], "root")
    details = {one["field"]: one["after"] for one in office.get(f"/versions/{told['version']}")["details"]}
    assert details["desks.toml: desk legal: receipt_min"] == "45"
    [row, *_] = office.room.store.audit_rows()
    assert row.action == "site_settings_changed" and row.detail.startswith("desks.toml: ")
    office.send("POST", "/versions/1/restore", {"digest": told["site_digest"]})
    assert [desk.id for desk in load_site(office.folder).desks] == ["mediation"]
    put(office, "desks", {})
    assert not (office.folder / "desks.toml").exists() and load_site(office.folder).desks == ()


def test_a_desk_with_open_referrals_is_not_deleted(office: Office) -> None:
    store, [desk] = office.room.store, load_site(office.folder).desks
    [opened] = store.record_events([intrusion(at_s=NOON_S)])
    owned = store.apply(command(opened, Step.ACKNOWLEDGE))
    sent = store.desks.take(ReferralCommand("away-1", ReferralStep.REFER, LI, "邻里纠纷", incident=owned.id, desk=desk.id))
    known = office.files
    told = put(office, "desks", {}, 409)
    assert told["detail"] == "The desk mediation has 1 open referral; end or withdraw them before it goes."
    assert office.files == known
    store.desks.take(ReferralCommand("back-1", ReferralStep.WITHDRAW, LI, "不用了", referral=sent.id))
    put(office, "desks", {})
    assert load_site(office.folder).desks == ()


def test_what_is_wrong_is_told_by_table_and_key_and_nothing_is_changed(office: Office) -> None:
    files, versions = office.files, office.get("/versions")
    wrong = DESK | {"receipt_min": 0, "places": ["nowhere"], "chair": 1}
    told = put(office, "desks", {"tables": {"desk": [DESK, wrong | {"id": "other"}]}}, 422)
    problems = {(one["file"], one["field"]): one["reason"] for one in told["problems"]}
    assert problems[("desks.toml", "desk 2: receipt_min")] == "expected a number from 1 to 132480, got 0"
    assert problems[("desks.toml", "desk 2: chair")].startswith("unknown key")
    assert told["detail"].startswith("desks.toml: desk 2: ") and len(problems) == 2
    told = put(office, "desks", {"tables": {"desk": [DESK, {**DESK, "id": "other", "places": ["nowhere"]}]}}, 422)
    [problem] = told["problems"]
    assert problem["field"] == "desk 2: places" and "got 'nowhere'" in problem["reason"] and problem["line"] is None
    told = put(office, "limits", {"top": {"warn_at": 3, "limit": "x"}}, 422)
    assert ("limits.toml", "warn_at") in {(one["file"], one["field"]) for one in told["problems"]}
    for odd in ({"Desk": "x"}, {"a": float("1e400")}, {"a": "\u007f"}, {"a": {"b": 1}}):
        answer = office.root.put(
            "/api/v1/registry/settings/desks", content=str({"digest": "0" * 64, "top": odd}).replace("'", '"')
        )
        assert answer.status_code == 422
    assert office.files == files and office.get("/versions") == versions


def test_what_refers_to_settings_that_would_go_is_named_in_its_own_file(office: Office) -> None:
    cell = load_site(office.folder).cameras[0].grid_cell
    section = {"id": "east", "name_zh": "东片", "grid_cells": [cell]}
    put(
        office,
        "limits",
        {"top": {"warn_at": 0.7}, "tables": {"section": [section], "limit": [{"severity": [2, 3], "accept_min": 4}]}},
    )
    receiver = {"id": "hall", "url": "https://hall.example.org/in"}
    rule = {"targets": ["hall"], "places": ["east"]}
    put(office, "notifications", {"tables": {"webhook": [receiver], "rule": [rule]}})
    site = load_site(office.folder)
    assert site.time_limits.warn_at == 0.7 and site.sections[0].id == "east" and site.notifications.targets[0].id == "hall"
    told = put(office, "limits", {"top": {"warn_at": 0.7}}, 422)
    assert [(one["file"], one["field"]) for one in told["problems"]] == [("notifications.toml", "rule.places")]


def test_who_is_slower_overwrites_nothing(office: Office) -> None:
    seen = office.get("/settings/desks")["digest"]
    put(office, "desks", {"tables": {"desk": [DESK]}})
    files = office.files
    late = office.send("PUT", "/settings/desks", {"digest": seen, "tables": {}}, 409)
    assert late["by"] == "root" and office.files == files
    put(office, "limits", {"top": {"warn_at": 0.7}})  # another file is no conflict


def test_only_administrators_read_or_change_settings(office: Office) -> None:
    operator = office.room.sneak_in("user", office.room.store.add_user("li.na", "", "operator").id)
    assert operator.get("/api/v1/registry/settings/desks").status_code == 403
    assert operator.put("/api/v1/registry/settings/desks", json={"digest": "0" * 64}).status_code == 403
    assert office.root.get("/api/v1/registry/settings/secrets").status_code in (404, 422)
