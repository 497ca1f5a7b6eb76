"""compose.yaml, read and not run: what may be set arrives, and what is written has a place."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from autoful import metrics
from autoful.backup import making

ROOT = Path(__file__).resolve().parents[1]
# The port is the host's, the folder the image's, and no container shows debug pages.
NOT_PASSED_ON = {"PORT", "AUTOFUL_DATA", "DEBUG"}


@pytest.fixture
def composed() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")))


def test_every_variable_reaches_the_application(composed: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    known = {*re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)} - NOT_PASSED_ON
    assert "DATABASE_REPLICA_URL" in known
    for service in ("app", "migrate"):
        assert known - {*composed["services"][service]["environment"]} == set()


def test_what_is_written_has_a_place_that_the_application_owns(composed: dict[str, Any]) -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    [data] = re.findall(r"AUTOFUL_DATA=(\S+)", image)
    [user] = re.findall(r"--uid ([0-9]+)", image)
    [owned] = re.findall(r"install --directory --owner autoful .* --mode 0700 (.*)", image)
    app = composed["services"]["app"]
    mounts = dict(mount.split(":")[::-1] for mount in app["volumes"])
    in_memory = dict(mount.partition(":")[::2] for mount in app["tmpfs"])
    assert app["read_only"]

    backups, figures = (
        f"{data}/{path.relative_to(settings.AUTOFUL_DATA)}"
        for path in (making.own_folder(), metrics._kept())
    )
    assert mounts[backups] in composed["volumes"]
    assert f"uid={user}" in in_memory[figures]
    assert owned.replace("$AUTOFUL_DATA", data).split() == [backups, figures]
    # The image's static files are not hidden by those of an older one.
    assert not {data, f"{data}/static"} & {*mounts, *in_memory}
