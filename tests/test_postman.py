"""The Postman collection, a shop's day with checks in it, run by newman on a new shop."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from autoful.testing.shops import ROOT, shop

pytestmark = pytest.mark.skipif(
    settings.PRODUCTION, reason="the collection is run on the embedded set-up"
)

COLLECTION = ROOT / "docs" / "autoful.postman_collection.json"
INSTALL = "npm install --prefix .venv/newman --no-audit --no-fund newman@6"


def find_newman() -> str:
    """newman's path; where it is missing the test is skipped, and under CI it fails."""
    named = os.environ.get("AUTOFUL_NEWMAN", "")
    ours = ROOT / ".venv" / "newman" / "node_modules" / ".bin" / "newman"
    found = shutil.which(named or "newman") or shutil.which(ours)
    if found:
        return str(found)
    missing = f"newman is not installed; install it with: {INSTALL}"
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(missing)
    pytest.skip(missing)


def a_day(newman: str, url: str, report: Path) -> dict[str, Any]:
    """Run the collection; returns what newman counted."""
    command = [newman, "run", str(COLLECTION), "--env-var", f"baseUrl={url}"]
    command += ["--reporters", "cli,json", "--reporter-json-export", str(report)]
    command += ["--color", "off", "--disable-unicode", "--ignore-redirects"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    # What failed is said at the end.
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr}"
    stats: dict[str, Any] = json.loads(report.read_text())["run"]["stats"]
    return stats


def requests_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [item] if "request" in item else [r for i in item["item"] for r in requests_of(i)]


def test_every_request_has_checks() -> None:
    for request in requests_of(json.loads(COLLECTION.read_text())):
        scripts = [e["script"]["exec"] for e in request["event"] if e["listen"] == "test"]
        assert any("to.have.status" in line for script in scripts for line in script), request[
            "name"
        ]


def test_a_shops_day_within_the_limits_and_once_more(tmp_path: Path) -> None:
    """With the limits of production on; twice, because it promises to run again."""
    newman = find_newman()
    whole_day = len(requests_of(json.loads(COLLECTION.read_text())))
    with shop(tmp_path) as ours, ours.serve() as url:
        for run in ("first", "second"):
            stats = a_day(newman, url, tmp_path / f"{run}.json")
            assert stats["requests"] == {"total": whole_day, "pending": 0, "failed": 0}
            assert stats["assertions"]["total"] >= 3 * whole_day
            assert stats["assertions"]["failed"] == 0
