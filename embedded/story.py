"""The demo shop's past year, planned before anything is written: the same for the same moment.

Nothing here touches the database.
"""

import datetime
import random
from dataclasses import dataclass
from itertools import pairwise

from embedded import vins
from embedded.vocabulary import (
    CANCELLED,
    COLOURS,
    COMEBACKS,
    CUSTOMERS,
    EXTRAS,
    JOBS,
    JOBS_WAITING,
    MECHANICS,
    ON_HOLD,
)

SEED = 2024
STATUSES = {"completed": 238, "cancelled": 22, "in_progress": 16, "on_hold": 8, "pending": 16}
# What the demo customer (the first) sees on signing in.
OWN_TICKETS = {"completed": 6, "in_progress": 1, "pending": 1}
PLATE_LETTERS = "BCDFGHJKLMNPRSTVWXZ"

Moment = datetime.datetime
Value = int | tuple[str, int] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class PlannedVehicle:
    customer: int
    vin: str
    make: str
    model: str
    year: int
    plate: str
    colour: str
    miles_a_year: int

    def mileage(self, moment: Moment) -> int:
        """What the odometer says then."""
        age = moment.year - self.year + moment.timetuple().tm_yday / 366
        return int(self.miles_a_year * max(age, 0.1))


@dataclass(frozen=True, slots=True)
class Step:
    """What happens on a ticket: `assign` a mechanic, use a `part` (number, quantity), `move` the
    status (to, reason).
    """

    moment: Moment
    kind: str
    value: Value


@dataclass(frozen=True, slots=True)
class Visit:
    vehicle: int
    opened: Moment
    opened_by: int
    service_date: datetime.date
    desc: str
    notes: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Story:
    now: Moment
    began: Moment
    vehicles: tuple[PlannedVehicle, ...]
    visits: tuple[Visit, ...]


def plan(*, now: Moment) -> Story:
    """The year that ends `now`, an aware moment in the shop's zone."""
    now = now.replace(microsecond=0)
    rng = random.Random(SEED)  # noqa: S311  not a secret: it must be the same every time
    vehicles = _vehicles(rng)
    return Story(
        now=now,
        began=now - datetime.timedelta(days=380),
        vehicles=vehicles,
        visits=_Diary(rng, now, vehicles).visits(),
    )


def _vehicles(rng: random.Random) -> tuple[PlannedVehicle, ...]:
    owners = [*range(len(CUSTOMERS)), 0, *rng.sample(range(1, len(CUSTOMERS)), 21)]
    found = []
    for place, owner in enumerate(owners):
        model = vins.MODELS[place % len(vins.MODELS)]
        year = rng.randint(model.first_year, model.last_year)
        serial = rng.randint(100_000, 899_999) // 1000 * 1000 + place  # no two alike
        letters = "".join(rng.choices(PLATE_LETTERS, k=3))
        found.append(
            PlannedVehicle(
                customer=owner,
                vin=vins.make_vin(model=model, year=year, serial=serial),
                make=model.make,
                model=model.model,
                year=year,
                plate=f"{letters}-{rng.randint(1000, 9999)}",
                colour=rng.choice(COLOURS),
                miles_a_year=rng.randint(6_500, 15_500),
            )
        )
    return tuple(found)


class _Diary:
    def __init__(
        self, rng: random.Random, now: Moment, vehicles: tuple[PlannedVehicle, ...]
    ) -> None:
        self.rng, self.now, self.today = rng, now, now.date()
        self.cars = vehicles
        self.last_seen: dict[int, datetime.date] = {}
        self.own_left = dict(OWN_TICKETS)

    def visits(self) -> tuple[Visit, ...]:
        closed = ["completed"] * STATUSES["completed"] + ["cancelled"] * STATUSES["cancelled"]
        self.rng.shuffle(closed)
        found = [
            self._visit(status, self._day(-364 + place * 363 // len(closed)), place)
            for place, status in enumerate(closed)
        ]
        for status, earliest, latest in (
            ("on_hold", -12, -3),
            ("in_progress", -2, 0),
            ("pending", 0, 14),
        ):
            for place in range(STATUSES[status]):
                # The first of each are today's: the demo mechanic has work on the table.
                todays = place < 3 and status != "on_hold"
                offset = 0 if todays else self.rng.randint(earliest, latest)
                found.append(self._visit(status, self._day(offset, closed=not todays), place))
        return tuple(sorted(found, key=lambda visit: visit.opened))

    def _day(self, offset: int, closed: bool = True) -> datetime.date:
        """That many days from today; the shop is `closed` on Sundays, unless today is needed."""
        day = self.today + datetime.timedelta(days=offset)
        if closed and day.isoweekday() == 7:
            day -= datetime.timedelta(days=1)
        return day

    def _at(self, day: datetime.date, first: int, last: int) -> Moment:
        clock = datetime.time(
            self.rng.randint(first, last), self.rng.randint(0, 59), self.rng.randint(0, 59)
        )
        return Moment.combine(day, clock, tzinfo=self.now.tzinfo)

    def _car(self, status: str, day: datetime.date, place: int) -> int:
        """A car that was not here lately; the demo customer's own when it is their turn."""
        rested = [
            index
            for index in range(len(self.cars))
            if (day - self.last_seen.get(index, datetime.date.min)).days > 25
        ]
        own = [index for index in rested if self.cars[index].customer == 0]
        others = [index for index in rested if self.cars[index].customer != 0]
        every = STATUSES[status] // OWN_TICKETS[status] if status in OWN_TICKETS else 1
        due = place % every == min(3, every - 1)
        if own and due and self.own_left.get(status):
            self.own_left[status] -= 1
            index = own[0]
        else:
            index = self.rng.choice(others)
        self.last_seen[index] = day
        return index

    def _visit(self, status: str, day: datetime.date, place: int) -> Visit:
        rng = self.rng
        jobs = JOBS_WAITING if status == "on_hold" else JOBS
        job = rng.choices(jobs, weights=[job.weight for job in jobs])[0]
        desc, parts = job.desc, list(job.parts)
        if rng.random() < 0.2:
            extra, more = rng.choice(EXTRAS)
            desc = f"{desc} {extra}"
            parts += [line for line in more if line[0] not in dict(parts)]
        car = self._car(status, day, place)
        booked = rng.choice((0, 0, 1, 1, 2, 3, 5, 7))
        opened = self._at(self._before(day, booked), 7, 8 if booked == 0 else 17)
        team = self._team(status, place)
        steps = self._steps(status, day, job.hours, team, parts)
        opened, steps = self._not_later_than_now(opened, steps)
        return Visit(
            vehicle=car,
            opened=opened,
            opened_by=rng.randrange(len(MECHANICS)),
            service_date=day,
            desc=desc,
            notes=job.notes,
            steps=steps,
        )

    def _before(self, day: datetime.date, booked: int) -> datetime.date:
        """The day it was booked, which is past also when the visit is not."""
        return self._day((min(day, self.today) - self.today).days - booked)

    def _team(self, status: str, place: int) -> list[int]:
        size = self.rng.choices((1, 2, 3), weights=(6, 3, 1))[0]
        team = self.rng.sample(range(len(MECHANICS)), size)
        if status in ("in_progress", "pending") and place < 3 and 0 not in team:
            team[0] = 0
        return team

    def _steps(
        self,
        status: str,
        day: datetime.date,
        hours: int,
        team: list[int],
        parts: list[tuple[str, int]],
    ) -> tuple[Step, ...]:
        rng = self.rng
        start = self._at(day, 9, 10)
        minute = datetime.timedelta(minutes=1)
        assigned: list[Value] = [*team]
        if status == "pending":
            soon = (day - self.today).days < 3
            early = self._at(self._before(day, 0), 8, 8)
            return tuple(Step(early, "assign", who) for who in assigned if soon)
        steps = [Step(start - 5 * minute, "assign", who) for who in assigned]
        if status == "cancelled" and rng.random() < 0.6:
            gone = Step(start, "move", ("cancelled", rng.choice(CANCELLED[:2])))
            return (*steps[: rng.randint(0, 1)], gone)
        steps.append(Step(start, "move", ("in_progress", "")))
        # A job that is still under way has not used everything yet.
        used = parts if status in ("completed", "cancelled") else parts[:2]
        steps += [
            Step(start + (20 + 25 * place) * minute, "part", line)
            for place, line in enumerate(used)
        ]
        end = start + max(60 * hours, 25 + 25 * len(used)) * minute + rng.randint(5, 50) * minute
        if status == "on_hold":
            steps.append(Step(end, "move", ("on_hold", rng.choice(ON_HOLD))))
        elif status == "cancelled":
            steps.append(Step(end, "move", ("cancelled", rng.choice(CANCELLED[2:]))))
        elif status == "completed":
            if rng.random() < 0.08:  # waited for something in between
                days = datetime.timedelta(days=rng.randint(1, 3))
                steps.append(Step(end, "move", ("on_hold", rng.choice(ON_HOLD))))
                steps.append(Step(end + days, "move", ("in_progress", "")))
                end += days + 90 * minute
            steps.append(Step(end, "move", ("completed", "")))
            if rng.random() < 0.04 and (self.today - day).days > 14:
                back = end + datetime.timedelta(days=rng.randint(2, 6))
                steps.append(Step(back, "move", ("in_progress", rng.choice(COMEBACKS))))
                steps.append(Step(back + 70 * minute, "move", ("completed", "")))
        return tuple(steps)

    def _not_later_than_now(
        self, opened: Moment, steps: tuple[Step, ...]
    ) -> tuple[Moment, tuple[Step, ...]]:
        """The same in the same order, with nothing in the future and nothing before the opening."""
        latest = [
            self.now - datetime.timedelta(minutes=2 * left) for left in range(len(steps) + 1, 0, -1)
        ]
        moments = [min(opened, latest[0])]
        for step, limit in zip(steps, latest[1:], strict=True):
            moments.append(max(min(step.moment, limit), moments[-1]))
        if any(later < earlier for earlier, later in pairwise(moments)):
            raise AssertionError("a ticket's steps are out of order")
        return moments[0], tuple(
            Step(moment, step.kind, step.value)
            for moment, step in zip(moments[1:], steps, strict=True)
        )
