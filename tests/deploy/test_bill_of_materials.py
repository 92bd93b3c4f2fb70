"""The bill of materials says what would be installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from types import ModuleType

import pytest

from core.settings import PROJECT

SCRIPT = PROJECT / "benchmarks" / "bill_of_materials.py"


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """The script as a module; it writes nothing where it is only loaded."""
    spec = importlib.util.spec_from_file_location("bill_of_materials", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bill_names_pinned_packages_with_hashes() -> None:
    bill = json.loads(subprocess.run([sys.executable, str(SCRIPT)], check=True, capture_output=True, text=True).stdout)
    pins = re.findall(r"^([\w.-]+)==", (PROJECT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert [one["name"] for one in bill["components"]] == pins
    assert all(one["hashes"] for one in bill["components"])
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert len({one["bom-ref"] for one in bill["components"]}) == len(pins)
    installed = {re.sub(r"[-_.]+", "-", one.name).lower(): one.version for one in importlib.metadata.distributions()}
    pinned = {(one["name"], one["version"]) for one in bill["components"]}  # some differ by Python's version
    assert [name for name in set(pins) & set(installed) if (name, installed[name]) not in pinned] == []
    assert bill["metadata"]["component"]["version"] == installed["vigie"]


def test_pin_goes_on_over_lines_and_what_is_no_pin_is_no_part(made: ModuleType) -> None:
    first, second = "a" * 64, "b" * 64
    text = (
        "# made by uv\n--index-url https://example.org\nNum_Py==1.2.3 ; python_version < '3.12' \\\n"
        f"    --hash=sha256:{first} \\\n    --hash=sha256:{second}\n    # via pandas\nunpinned>=2\nplain==0.1\n"
    )
    bill = made.bill(text, "9.9")
    numpy, plain = bill["components"]
    assert (numpy["name"], numpy["version"], numpy["type"]) == ("Num_Py", "1.2.3", "library")
    assert numpy["purl"] == numpy["bom-ref"] == "pkg:pypi/num_py@1.2.3"
    assert numpy["hashes"] == [{"alg": "SHA-256", "content": one} for one in (first, second)]
    assert (plain["name"], plain["hashes"]) == ("plain", [])
    assert bill["metadata"]["component"] == {"type": "application", "name": "vigie", "version": "9.9"}
