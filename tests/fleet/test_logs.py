"""What reaches the log: state, never secrets, never a forged line."""

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from camera_config.sealed import Vault
from fleet.homes import _answer
from fleet.logs import Redactor, configure
from fleet.run import LOGIN_KEY, vault_in
from fleet.setups import CameraSetup
from fleet.worker import Worker
from ingest import Feed
from tests.fleet.small_site import small_site

CANARY = "Canary-9f3b71"


def test_secrets_are_replaced_longest_first() -> None:
    clean = Redactor(["secret", "secret-and-more"]).clean("a secret-and-more b secret c")
    assert clean == "a ••• b ••• c"


def test_the_user_part_of_any_url_is_replaced() -> None:
    assert Redactor().clean("open rtsp://admin:pa55@10.0.0.1/ch1 failed") == "open rtsp://•••@10.0.0.1/ch1 failed"


def test_short_secrets_do_not_shred_every_line() -> None:
    assert Redactor(["a"]).clean("banana") == "banana"


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_secret_survives_whatever_surrounds_it(before: str, after: str) -> None:
    assert CANARY not in Redactor([CANARY]).clean(before + CANARY + after)


@given(st.text(max_size=100))
def test_control_characters_cannot_paint_a_terminal(text: str) -> None:
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u2028\u202e" for letter in Redactor().clean(text))


def test_a_sealed_password_is_hidden_from_when_it_is_set_or_opened(tmp_path: Path) -> None:
    """In this process and in a worker's, which learns it with a change of its camera."""
    stream, before = io.StringIO(), (logging.getLogger().handlers[:], logging.getLogger().level)
    try:
        configure("INFO", (), stream)
        vault_in(tmp_path).seal("gate", "admin", f"{CANARY}-sealed")
        logging.error("refused: %s-sealed", CANARY)
        other = Vault(tmp_path / LOGIN_KEY).seal("yard", "admin", f"{CANARY}-opened")
        site = replace(small_site(tmp_path / "site", {"c1": "rtsp://127.0.0.1:9/x"}), credentials=(other,))
        assert vault_in(tmp_path).opened(site).credentials[0].password == f"{CANARY}-opened"
        logging.error("refused: %s-opened", CANARY)
        answer_change(CameraSetup("c1", Feed("c1", "rtsp://127.0.0.1:9/x", "admin", f"{CANARY}-changed")))
        logging.error("refused: %s-changed", CANARY)
    finally:
        logging.captureWarnings(False)
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    assert stream.getvalue().count("refused: •••") == 3 and CANARY not in stream.getvalue()


def answer_change(setup: CameraSetup) -> None:
    class Deaf:
        def change(self, setups: Sequence[CameraSetup]) -> None:
            assert setups == [setup]

    assert _answer(cast(Worker, Deaf()), "change", [setup]) is True


def test_messages_arguments_extras_and_tracebacks_are_cleaned_and_stay_one_line() -> None:
    stream, before = io.StringIO(), (logging.getLogger().handlers[:], logging.getLogger().level)
    try:
        configure("INFO", [CANARY], stream)
        logger = logging.getLogger("test")
        logger.info("hello %s\nforged", CANARY, extra={"camera": f"c{CANARY}"})
        try:
            raise ValueError(f"bad login {CANARY} at rtsp://u:{CANARY}@host/x")
        except ValueError:
            logger.exception("failed")
    finally:
        logging.captureWarnings(False)
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert CANARY not in stream.getvalue()
    assert json.loads(lines[0])["event"] == r"hello •••\u000aforged"
    assert "bad login •••" in json.loads(lines[1])["exception"]
