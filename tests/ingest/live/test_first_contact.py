"""First contact: each publisher is asked once, and failures name what to do."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from core.errors import InputError
from core.settings import Settings
from ingest.http import check_sources
from tests.ingest.live.layouts import LAYOUTS
from tests.ingest.live.publisher import Publisher, Reply

QUICK = {"attempts": 1, "first_wait_seconds": 0}
NAMES = ("noaa_enso", "fao_ffpi", "italy_interior")


def settings_for(publisher: Publisher) -> Settings:
    return Settings.model_validate({"live": {**QUICK, "sources": {name: LAYOUTS[name](publisher) for name in NAMES}}})


def test_each_kind_of_failure_says_what_to_do(publisher: Publisher) -> None:
    chosen = settings_for(publisher)
    publisher.serve("/data/oni.ascii.txt", Reply(b"", 403))
    publisher.serve("/main/nazionalita.csv", Reply(b"", 404))
    publisher.serve("/foodpricesindex/en/", Reply(b"<html>rebuilt</html>"))
    found = {one.source_id: one for one in check_sources(chosen, NAMES, live=True)}
    assert {name: (one.state, one.todo.split(":")[0]) for name, one in found.items()} == {
        "noaa_enso": ("not reachable", "the publisher refuses this agent"),
        "italy_interior": ("in part", "the address moved"),
        "fao_ffpi": ("not recognised", "the layout changed"),
    }
    assert all(one.failed for one in found.values())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"", 202), Reply(b"", 204), Reply(b"", 429, {"Retry-After": "9999"}), Reply(b"", 503), Reply(b""),
        Reply(b"cut", announced=900), Reply(gzip.compress(b"figures" * 99)[:-9]), Reply(b"slow", silent=3),
        Reply(b"a line without an end"),
    ],
    ids=["202", "204", "429", "503", "empty", "cut off", "cut gzip", "slow", "cut line"],
)  # fmt: skip
def test_what_passes_is_distinguished_from_changed_layout(publisher: Publisher, reply: Reply) -> None:
    chosen = settings_for(publisher)
    chosen = chosen.model_copy(update={"live": chosen.live.model_copy(update={"read_seconds": 1.0})})
    publisher.serve("/data/oni.ascii.txt", reply)
    (one,) = check_sources(chosen, ("noaa_enso",), live=True)
    assert (one.state, one.todo.split(";")[0], one.failed) == ("not ready", "ask again later", True)


def test_person_does_not_wait_for_as_many_tries_as_night_has(publisher: Publisher) -> None:
    live = {**QUICK, "attempts": 4, "sources": {"noaa_enso": LAYOUTS["noaa_enso"](publisher)}}
    publisher.serve("/data/oni.ascii.txt", Reply(b"", 503))
    (one,) = check_sources(Settings.model_validate({"live": live}), ("noaa_enso",), live=True)
    assert one.failed
    assert len(publisher.asked) == 2


def test_refusal_that_quotes_key_does_not_bring_it_into_report(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDMC_CLIENT_ID", "k3y-of-none")
    layout = {"idmc": LAYOUTS["idmc"](publisher)}
    publisher.serve("/idus/last-180-days/", Reply(b"no client k3y-of-none", 403, {"ETag": "k3y-of-none"}))
    (one,) = check_sources(Settings.model_validate({"live": {**QUICK, "sources": layout}}), ("idmc",), live=True)
    assert one.answers[0]["first"] == "no client [key]"
    assert "k3y-of-none" not in json.dumps(asdict(one))


@pytest.mark.slow
def test_command_prints_table_writes_report_and_ends_with_three(publisher: Publisher, tmp_path: Path) -> None:
    layouts = {name: LAYOUTS[name](publisher)["addresses"] for name in NAMES}
    publisher.serve("/data/oni.ascii.txt", Reply(b"denied", 403))
    tables = [
        f"[live.sources.{name}.addresses]\n" + "".join(f"{key} = '{address}'\n" for key, address in one.items())
        for name, one in layouts.items()
    ]
    (tmp_path / "settings.toml").write_text("\n".join(["[live]\nattempts = 1", *tables]))
    asked = ["ingest", "check", "--live", "--home", str(tmp_path), "--report", str(tmp_path / "report.json")]
    ran = CliRunner().invoke(app, [*asked, *NAMES])
    assert ran.exit_code == 3, ran.output
    table = {line.split()[0]: line.split()[1:3] for line in ran.output.splitlines() if line.split()[0] in NAMES}
    assert table == {
        "fao_ffpi": ["yes", "yes"], "italy_interior": ["yes", "yes"], "noaa_enso": ["refused", "-"],
    }  # fmt: skip
    assert {one["source_id"] for one in json.loads((tmp_path / "report.json").read_text())} == set(NAMES)
    assert CliRunner().invoke(app, [*asked[:-2], "fao_ffpi"]).exit_code == 0


def test_first_contact_asks_nobody_without_live(publisher: Publisher) -> None:
    found = check_sources(settings_for(publisher), NAMES, live=False)
    assert {one.state for one in found} == {"not asked"}
    assert publisher.asked == []
    with pytest.raises(InputError, match="unknown source 'unknown'"):
        check_sources(Settings.model_validate({}), ("unknown",), live=False)
