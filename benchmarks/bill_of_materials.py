"""The bill of materials of a release: ``python benchmarks/bill_of_materials.py > vigie.cdx.json`` (CycloneDX 1.6).

It is read from the pinned requirements, so it names what ``make setup`` installs, each package with its hashes.
``make test`` makes it as dist/vigie.cdx.json and checks it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(.*)$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill(requirements: str, version: str) -> dict[str, object]:
    """The bill of one list of pinned requirements.

    Args:
        requirements: Lines with name, version and hashes, as ``uv pip compile`` writes them.
        version: Version of Vigie.
    """
    components = []
    for line in requirements.replace("\\\n", " ").splitlines():
        if found := PIN.match(line.strip()):
            name, pinned, rest = found.groups()
            hashes = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(rest)]
            purl = f"pkg:pypi/{name.lower()}@{pinned}"
            components.append(
                {"type": "library", "bom-ref": purl, "name": name, "version": pinned, "purl": purl, "hashes": hashes}
            )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "vigie", "version": version}},
        "components": components,
    }


if __name__ == "__main__":
    pins, project = ((PROJECT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "pyproject.toml"))
    (version,) = re.findall(r'^version = "(.+)"', project, re.MULTILINE)
    json.dump(bill(pins, version), sys.stdout, indent=1)
