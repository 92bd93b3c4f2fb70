"""``vigie briefing``: the one-page briefing of a release as a PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.shared import Home, current_release
from core.errors import InputError, StoreError
from core.languages import DEFAULT_LANGUAGE, languages
from core.settings import home_folder, load_settings

_MOST_NAMED = 3


def briefing(
    run: Annotated[str | None, typer.Option("--run", help="A release's run_id; default: the newest.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="en or fr.")] = DEFAULT_LANGUAGE,
    out: Annotated[Path | None, typer.Option("--out", help="PDF to write; default: vigie-DATE-LANG.pdf.")] = None,
    signed_off: Annotated[
        bool, typer.Option("--signed-off", help="Only alerts that people have signed off, as in mails.")
    ] = False,
    home: Home = None,
) -> None:
    """Write the one-page briefing of a release: map, alerts, charts, caveats, licences."""
    from desk.briefing import make_briefing  # noqa: PLC0415  # the desk opens only where it is asked
    from store.files import named_errors, write_bytes  # noqa: PLC0415  # as above

    if lang not in languages():
        raise InputError(f"--lang {lang}: there is no such language; write {' or '.join(languages())}")
    if out is not None and out.suffix != ".pdf":
        raise InputError(f"--out {out.name}: the ending must be .pdf")
    folder = home_folder(home)
    run_id, day = _release(folder, run)
    target = out or Path(f"vigie-{day}-{lang}.pdf")
    document = make_briefing(folder, load_settings(folder), run_id, lang, signed_only=signed_off)
    try:
        with named_errors(target):
            write_bytes(target.expanduser(), document)
    except StoreError as error:
        raise InputError(f"--out {error}") from None
    typer.echo(f"{target} written: release {run_id}, as known on {day}")


def _release(folder: Path, run: str | None) -> tuple[str, str]:
    """run_id and day of the release that is asked for.

    Raises:
        InputError: There is none, or none of that name.
    """
    from store.releases import ReleaseStore  # noqa: PLC0415  # the store opens only where it is asked

    newest = current_release(folder)
    if run is None:
        return newest.run_id, newest.as_of.isoformat()
    store = ReleaseStore(folder)
    try:
        return run, store.get(run).as_of.isoformat()
    except StoreError as error:
        names = ", ".join(release.run_id for release in reversed(store.all()[-_MOST_NAMED:]))
        raise InputError(f"--run {run}: {error}; the newest are {names}") from None
