import errno
from pathlib import Path
from typing import Any

import pytest

from autoful.backup import making
from autoful.backup.tests.backups import NASTY
from autoful.testing.personas import Persona
from inventory.models import Part
from inventory.tests.factories import PartFactory
from tests.soundness import everything


@pytest.fixture
def shop(sarah: Persona, mike: Persona, boss: Persona) -> dict[str, list[dict[str, Any]]]:
    """A shop with people, a session, parts and history; what is in it."""
    boss.get("/customers/")
    PartFactory.create(part_name=NASTY, quantity_in_stock=7)
    assert mike.put(f"/inventory/{Part.objects.get().pk}", {"price": 3.5}).status_code == 200
    return everything()


@pytest.fixture
def backup(shop: Any, tmp_path: Path) -> Path:
    path = tmp_path / "one.zip"
    making.make(path)
    return path


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk such as a USB stick's, whose file system has no hard links."""

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
