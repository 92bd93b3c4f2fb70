"""Delivery under kill -9: are letters lost, and can a receiver recognise every repeat?

    python -m benchmarks.delivery [--kills 200] [--seed 7]

A worker signs alerts off and sends; it is killed at a random moment, again and again, each time on the same home
folder, against a real mail server and a real HTTP server on loopback. At the end one worker is left alive to finish.
Then each letter must have come at least once, and each that came twice must have come under one name and with one
content.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from alerts.lifecycle import ANNOUNCED, SIGNED_OFF
from benchmarks.delivery_worker import work
from core.settings import FEED, load_settings
from decisions import open_workflow
from store.journal import SENT, OutboxMessage
from tests.delivery import publish, settings_text
from tests.receivers import Mailbox, Requests, http_server, mail_server

ROUTES = ("CMR", "EMR", "WMR", "WAR", "CHA")
LONGEST_LIFE_SECONDS = 1.5
"""Longest life of a worker from its first step; the moment of a kill is drawn evenly from it."""
PAUSE_SECONDS = 0.1
"""Time that each receiver takes between having a message and saying so."""
_LONGEST_START_SECONDS = 120
_WORKERS = multiprocessing.get_context("forkserver")
"""Workers are forked from a process that has loaded the program: most of a life is then work."""
_WORKERS.set_forkserver_preload(["benchmarks.delivery_worker"])


@dataclass(frozen=True)
class Result:
    """What was found.

    Attributes:
        kills: How many workers were killed.
        sign_offs: Decisions that the journal holds.
        announcements: Announcements that the journal holds; as many as decisions, or a decision went out half.
        letters: Letters posted.
        lost: Letters that no receiver has.
        unknown: Messages that belong to no letter.
        repeats: Messages that came once more.
        unlike: Repeats whose content is not that of the first.
        unrecorded: Letters that the outbox does not hold as sent at the end.
    """

    kills: int
    sign_offs: int
    announcements: int
    letters: int
    lost: int
    unknown: int
    repeats: int
    unlike: int
    unrecorded: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost and every repeat is recognisable."""
        whole = self.sign_offs == self.announcements and self.letters > 0
        return whole and not (self.lost or self.unknown or self.unlike or self.unrecorded)

    def table(self) -> str:
        """The result as a table in Markdown."""
        rows = [(name.replace("_", " "), value) for name, value in vars(self).items()]
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def measure(kills: int, seed: int, home: Path) -> Result:
    """Kill workers at random moments, let the last one finish, and compare what was posted with what came.

    Args:
        kills: How many workers to kill.
        seed: Of the random moments.
        home: An empty folder.
    """
    draw = random.Random(seed)  # noqa: S311  # moments, not secrets
    alerts = [f"surge.{route}.{number:04}" for number in range(kills) for route in ROUTES]
    publish(home, alerts)
    with mail_server(pause_seconds=PAUSE_SECONDS) as mailbox, http_server(pause_seconds=PAUSE_SECONDS) as requests:
        (home / "settings.toml").write_text(settings_text(mailbox, requests), encoding="utf-8")
        left = list(alerts)
        for number in range(kills):
            _run(home, left[:3], kill_after=draw.uniform(0, LONGEST_LIFE_SECONDS))
            signed = _signed(home)
            left = [alert_id for alert_id in left if alert_id not in signed]
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{number + 1} of {kills} kills, {len(mailbox.mails)} mails")
        _run(home, left[:1], kill_after=None)
        return _compare(home, kills, mailbox, requests)


def _run(home: Path, alert_ids: Sequence[str], kill_after: float | None) -> None:
    """Run one worker; kill it that long after it has begun, or let it finish."""
    here, there = _WORKERS.Pipe()
    worker = _WORKERS.Process(target=work, args=(home, list(alert_ids), there))
    worker.start()
    if not here.poll(_LONGEST_START_SECONDS):
        raise RuntimeError("a worker did not begin")
    if kill_after is not None:
        time.sleep(kill_after)
        worker.kill()
    worker.join()
    for end in (here, there):
        end.close()
    if kill_after is None and worker.exitcode != 0:
        raise RuntimeError("the last worker did not finish")
    worker.close()


def _signed(home: Path) -> set[str]:
    with open_workflow(home, load_settings(home)) as desk:
        return {entry.subject for entry in desk.journal.entries(action=SIGNED_OFF)}


def _compare(home: Path, kills: int, mailbox: Mailbox, requests: Requests) -> Result:
    with open_workflow(home, load_settings(home)) as desk:
        letters = {letter.message_id: letter for letter in desk.outbox.messages()}
        signed = len(desk.journal.entries(action=SIGNED_OFF))
        announced = len(desk.journal.entries(action=ANNOUNCED))
    came: dict[str, list[str]] = {}
    for mail in mailbox.mails:
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        came.setdefault(name, []).append(_content_of(mail))
    for headers, body in requests.taken:
        said = sorted((name, value) for name, value in body.items() if name != "journal")  # its head moves on
        came.setdefault(headers["Idempotency-Key"], []).append(repr(said))
    files = {path.stem for path in (home / "published" / "cap").glob("*.xml")}
    return Result(
        kills=kills,
        sign_offs=signed,
        announcements=announced,
        letters=len(letters),
        lost=sum(not _came(letter, came) for letter in letters.values()) + max(0, announced - len(files)),
        unknown=len(set(came) - set(letters)),
        repeats=sum(len(contents) - 1 for contents in came.values()),
        unlike=sum(len(set(contents)) > 1 for contents in came.values()),
        unrecorded=sum(letter.outcome != SENT for letter in letters.values()),
    )


def _came(letter: OutboxMessage, came: dict[str, list[str]]) -> bool:
    return letter.channel == FEED or letter.message_id in came


def _content_of(mail: EmailMessage) -> str:
    """What a reader sees of a mail, without the marks that part its pieces, which differ each time."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    if text is None or html is None:
        return "not whole"
    return f"{mail['To']}\n{mail['Subject']}\n{mail['Date']}\n{text.get_content()}\n{html.get_content()}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement and print its table; exit 1 where a letter was lost or a repeat cannot be recognised."""
    parser = argparse.ArgumentParser(description="Delivery under kill -9.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options.kills, options.seed, Path(folder))
    sys.stdout.write(result.table() + "\n")
    return 0 if result.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
