"""What happens between looking at a file and importing it: others, a lost race, a worker that ends."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from autoful.actor import COMMAND
from autoful.sheets import background, progress, staging
from autoful.sheets.models import SheetImport, SheetPiece, SheetRow
from autoful.sheets.sheet import ShopSheet
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from inventory.models import Part
from inventory.parts import change_part, enter_part
from inventory.tests.factories import PartFactory
from tests.sheets import (
    CUSTOMERS,
    PARTS,
    exported,
    fates,
    looked_at,
    remarks,
    sheet_of,
    table,
    told,
    upload,
)

NEW = "Part number,Name,Price\n" + "".join(f"N-{n},Bulb {n},{n}\n" for n in range(1, 6))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "start", lambda work, job: work())


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


def enter(number: str) -> Part:
    fields = {"part_name": "Theirs", "part_number": number, "price": Decimal(1)}
    return enter_part(fields=fields, quantity_in_stock=0, actor=COMMAND)


def test_what_somebody_changed_since_the_file_was_written_is_not_written_over(desk: Desk) -> None:
    part = PartFactory.create(price=Decimal(10))
    (row,) = table(exported(desk, PARTS))
    change_part(part=part, fields={"category": "Theirs"}, actor=COMMAND)
    job = looked_at(desk, PARTS, sheet_of([row | {"Price": "12"}]))
    assert fates(job) == ["refused"]
    assert "This has been changed since" in remarks(job)
    # Without its state the file says what it says.
    del row["State"]
    assert fates(looked_at(desk, PARTS, sheet_of([row | {"Price": "12"}]))) == ["changed"]


def test_what_changed_since_it_was_looked_at_stops_all_of_it(desk: Desk) -> None:
    job = looked_at(desk, PARTS, NEW)
    theirs = enter("N-4")
    page = told(desk, PARTS, job)
    assert "Row 5, Bulb 4: the shop has changed since" in page
    assert list(Part.objects.all()) == [theirs]
    assert not job.is_importable
    told(desk, PARTS, job, "check")
    assert fates(job) == ["new", "new", "new", "changed", "new"]
    told(desk, PARTS, job)
    assert (job.status, Part.objects.count()) == ("done", 5)


def test_a_row_that_is_refused_by_now_stops_all_of_it(desk: Desk) -> None:
    part = PartFactory.create()
    job = looked_at(desk, PARTS, f"No.,Part number\n{part.pk},N-9\n")
    enter("N-9")
    page = told(desk, PARTS, job)
    assert "Row 2" in page and "Nothing was saved." in page
    part.refresh_from_db()
    assert part.part_number != "N-9"


@pytest.mark.parametrize("step", ["check", "import"])
def test_a_lost_race_begins_afresh(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, transactional_db: None
) -> None:
    """A row that a try has changed and taken back must not look unchanged to the next one."""
    part = PartFactory.create(price=Decimal(10))
    content = f"No.,Price\n{part.pk},12\n"
    job = looked_at(desk, PARTS, content) if step == "import" else None
    take, tries = ShopSheet.take, []

    def once_too_late(*args: Any) -> Any:
        outcome = take(*args)
        tries.append(outcome)
        if len(tries) == 1:
            raise OperationalError(1213, "Deadlock found")
        return outcome

    monkeypatch.setattr(ShopSheet, "take", once_too_late)
    if job is None:
        job = looked_at(desk, PARTS, content)
        assert fates(job) == ["changed"]
    else:
        told(desk, PARTS, job)
        part.refresh_from_db()
        assert (job.status, part.price) == ("done", 12)
    assert [outcome.fate for outcome in tries] == ["changed", "changed"]


def test_one_says_yes_once(desk: Desk) -> None:
    job = looked_at(desk, PARTS, NEW)
    told(desk, PARTS, job)
    assert "cannot be imported" in told(desk, PARTS, job)
    assert "imported already" in told(desk, PARTS, job, "discard")
    assert Part.objects.count() == 5


def test_who_begins_anew_replaces_who_was_silent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = looked_at(desk, PARTS, NEW)
    begun: list[Any] = []
    monkeypatch.setattr(background, "start", lambda work, job: begun.append(work))
    told(desk, PARTS, job)
    page = desk.get(f"{PARTS}import/{job.pk}/").content.decode()
    assert "every 1s" in page and "interrupted: nothing" not in page
    assert "cannot be imported" in told(desk, PARTS, job)
    # The worker that had it is gone.
    SheetImport.objects.update(began_at=timezone.now() - timedelta(seconds=progress.SILENT + 1))
    page = desk.get(f"{PARTS}import/{job.pk}/").content.decode()
    assert "It seems to have been interrupted" in page and "every 1s" not in page
    told(desk, PARTS, job)
    first, second = begun
    first()  # and was not gone at all
    assert not Part.objects.exists()
    second()
    assert Part.objects.count() == 5
    first()
    second()
    job.refresh_from_db()
    assert (job.status, Part.objects.count()) == ("done", 5)


def test_who_looked_before_takes_nothing_from_who_looks_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = looked_at(desk, PARTS, NEW)
    begun: list[Any] = []
    monkeypatch.setattr(background, "start", lambda work, job: begun.append(work))
    told(desk, PARTS, job, "check")
    assert "cannot be looked at again now" in told(desk, PARTS, job, "check")
    SheetImport.objects.update(began_at=timezone.now() - timedelta(seconds=progress.SILENT + 1))
    told(desk, PARTS, job, "check")
    first, second = begun
    second()
    first()
    job.refresh_from_db()
    assert (job.status, fates(job)) == ("checked", ["new"] * 5)


def test_rows_that_are_gone_are_not_taken_for_imported(desk: Desk) -> None:
    job = looked_at(desk, PARTS, NEW)
    job.rows.first().delete()
    assert "Not every row that was looked at is there" in told(desk, PARTS, job)
    assert not Part.objects.exists()


def test_who_is_heard_of_is_not_silent(desk: Desk) -> None:
    job = looked_at(desk, PARTS, NEW)
    SheetImport.objects.update(began_at=timezone.now() - timedelta(seconds=progress.SILENT + 1))
    job.refresh_from_db()
    job.attempt += 1
    assert progress.is_stale(job)
    progress.tell(job, 1, 2, 3)
    heard = progress.of(job)
    assert heard is not None and (heard.percent, heard.rows) == (50, 3)
    assert heard.at <= time.time()
    assert not progress.is_stale(job)


def test_something_unforeseen_saves_nothing_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = looked_at(desk, PARTS, NEW)
    monkeypatch.setattr(background, "start", lambda work, job: background._work(work, job))
    take, taken = ShopSheet.take, []

    def broken(*args: Any) -> Any:
        taken.append(take(*args))
        if len(taken) == 3:
            raise RuntimeError("no such thing")
        return taken[-1]

    monkeypatch.setattr(ShopSheet, "take", broken)
    assert "Something went wrong that is no fault of the file" in told(desk, PARTS, job)
    assert not Part.objects.exists()
    told(desk, PARTS, job, "check")
    told(desk, PARTS, job)
    assert (job.status, Part.objects.count()) == ("done", 5)


def test_what_is_discarded_is_forgotten(desk: Desk) -> None:
    job = looked_at(desk, PARTS, NEW)
    assert SheetPiece.objects.exists() and SheetRow.objects.exists()
    assert "Nothing was saved" in told(desk, PARTS, job, "discard")
    assert not SheetPiece.objects.exists() and not SheetRow.objects.exists()
    assert "was discarded" in desk.get(f"{PARTS}import/{job.pk}/").content.decode()


def test_a_row_that_is_called_something_else_by_now_stops_all_of_it(desk: Desk) -> None:
    """It was shown as Bulb 10 to 12; what it would write is the same, and about something else."""
    part = PartFactory.create(part_name="Bulb", price=Decimal(10))
    job = looked_at(desk, PARTS, f"No.,Price\n{part.pk},12\n")
    change_part(part=part, fields={"part_name": "Wiper"}, actor=COMMAND)
    assert "the shop has changed since" in told(desk, PARTS, job)
    part.refresh_from_db()
    assert part.price == 10


def test_of_many_rows_the_few_that_change_are_shown_first(desk: Desk) -> None:
    PartFactory.create_batch(3)
    rows = table(exported(desk, PARTS))
    rows[1]["Location"] = "Z9"
    job = looked_at(desk, PARTS, sheet_of(rows))
    assert sorted(fates(job)) == ["changed", "same", "same"]
    shown = desk.get(f"{PARTS}import/{job.pk}/").context_data["rows"]
    assert [row.fate for row in shown] == ["changed"]
    assert len(desk.get(f"{PARTS}import/{job.pk}/", {"fate": "all"}).context_data["rows"]) == 3


def test_a_new_file_takes_the_place_of_the_one_before_and_says_so(desk: Desk) -> None:
    people = looked_at(desk, CUSTOMERS, "Name,Phone\nAda Byron,555 0100\n")
    before = looked_at(desk, PARTS, NEW)
    assert "Another file takes its place" in desk.get(f"{PARTS}import/").content.decode()
    upload(desk, PARTS, NEW)
    page = desk.get(f"{PARTS}import/{SheetImport.objects.latest('pk').pk}/")
    assert "is discarded. Nothing of it was saved" in page.content.decode()
    before.refresh_from_db()
    assert (before.status, before.rows.count()) == ("discarded", 0)
    people.refresh_from_db()
    assert people.is_importable, "one of another kind waits on"
    told(desk, PARTS, SheetImport.objects.latest("pk"))
    assert "takes its place" not in desk.get(f"{PARTS}import/").content.decode()


def test_not_while_one_is_imported(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = looked_at(desk, PARTS, NEW)
    monkeypatch.setattr(background, "start", lambda work, job: None)
    told(desk, PARTS, job)
    answer = upload(desk, PARTS, NEW)
    assert "is being imported. Wait" in answer.content.decode()
    assert "is being imported. Wait" in told(desk, PARTS, job, "discard")
    assert job.status == "importing"


def test_nothing_is_kept_longer_than_a_day(desk: Desk) -> None:
    old, new = looked_at(desk, PARTS, NEW), None
    SheetImport.objects.update(began_at=timezone.now() - staging.KEPT - timedelta(minutes=1))
    desk.force_login(desk.user)
    old.refresh_from_db()
    assert (old.status, SheetRow.objects.count(), SheetPiece.objects.count()) == (
        "discarded",
        0,
        0,
    )
    new = looked_at(desk, PARTS, NEW)
    staging.forget_old()
    new.refresh_from_db()
    assert (new.status, new.rows.count()) == ("checked", 5)


def test_files_that_are_none(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "LARGEST_FILE", 100)
    for content, word in (("", "empty"), ("x" * 200, "larger than")):
        answer = upload(desk, PARTS, content)
        assert answer.status_code in (200, 400)
        assert word in answer.content.decode()
    answer = desk.post(f"{PARTS}import/", {})
    assert "This field is required." in answer.content.decode()
    assert not SheetImport.objects.exists()
