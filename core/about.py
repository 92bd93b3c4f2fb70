"""What Vigie is: version, commit and build, as manifests name them; what its figures are for, as every file says."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version

from core.languages import marked as _
from core.settings import PROJECT

_DIGITS = 12


@lru_cache(maxsize=1)
def code_version() -> str:
    """Such as ``1.0.0+g1a2b3c4d5e6f.r0f9e8d7c6b5a``: version, commit, and the digest of the pinned requirements.

    The commit comes from ``VIGIE_COMMIT``, which images set, else from git; ``.changed`` stands where files of the
    working copy differ from it. Without either it is left out.
    """
    requirements = PROJECT / "requirements.txt"
    build = f"r{sha256(requirements.read_bytes()).hexdigest()[:_DIGITS]}" if requirements.is_file() else ""
    commit = os.environ.get("VIGIE_COMMIT", "")[:_DIGITS] or _git("rev-parse", f"--short={_DIGITS}", "HEAD")
    is_changed = bool(commit) and bool(_git("status", "--porcelain", "--untracked-files=no"))
    parts = [f"g{commit}" if commit else "", "changed" if is_changed else "", build]
    return "+".join(filter(None, (version("vigie"), ".".join(filter(None, parts)))))


def _git(*words: str) -> str:
    """What git says about the program's own folder; nothing where it is no working copy, or there is no git."""
    if not (PROJECT / ".git").exists():
        return ""
    # The service's user does not own the working copy, and git refuses those of others; what runs from it trusts it.
    line = ["git", "-c", "safe.directory=*", "-C", str(PROJECT), *words]
    try:
        done = subprocess.run(line, check=False, capture_output=True, text=True, timeout=10)  # noqa: S603  # fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


INTENDED_USE = _("Made for planning reception, health care and protection capacity.")
PROHIBITED_USES = (
    _("turning people back, or placing forces where people are expected in order to do so"),
    _("profiling, or any decision about a person"),
    _("presenting a forecast as certain, or arrivals as a danger"),
)
NOT_A_FACT = _("A forecast is a range, not a fact: one month in five is expected outside the 80% interval.")
PURPOSE = f"{INTENDED_USE} Not to be used for: {'; '.join(PROHIBITED_USES)}."
"""Both in one line, in English."""
