"""``vigie site build``: the public site, from a release whose alerts people have decided about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cli import Group, Home, existing_home
from core.errors import InputError
from core.log import counted
from core.settings import load_settings

app = typer.Typer(cls=Group, help="Build the public site.")


@app.command()
def build(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The site's folder: new, empty, or made by this command before.")
    ],
    url: Annotated[
        str,
        typer.Option("--url", help="Address at which the site will stand; the sitemap and shared pictures need it."),
    ] = "",
    home: Home = None,
) -> None:
    """Write the site of the newest release in which every alert was signed off or dismissed; only changed files.

    Any web server can serve the folder: see docs/publishing.md.
    """
    from publish.site import build_site

    source = existing_home(home)
    done = build_site(source, load_settings(source), folder.expanduser(), _base(url))
    for run_id in done.passed_over:
        typer.echo(f"{run_id} is not shown: alerts wait to be signed off ('vigie alerts')")
    typer.echo(
        f"{folder}: release {done.run_id}, as known on {done.as_of}; {counted(done.written, 'file')} written, "
        f"{done.removed} removed, {done.kept} unchanged"
    )
    if not url:
        typer.echo("No --url: without it there is no sitemap and no picture where a page is shared.")


def _base(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise InputError(f"--url {url}: write an address such as https://example.org/vigie/")
    return url.rstrip("/") + "/"
