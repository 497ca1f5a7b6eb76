"""Living the planned year: each event through the shop's own verbs, in the order it happened."""

import datetime
import heapq
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

from autoful.accounts.account import Credentials, open_account
from autoful.actor import COMMAND, NOBODY, Actor, Role, acting
from customers import registration as customers
from customers.models import Customer, Vehicle
from customers.vehicles import save_vehicle
from embedded.catalogue import SCARCE, parts
from embedded.diary import Diary
from embedded.story import Story, Visit
from embedded.vocabulary import APPLICANTS, CUSTOMERS, MECHANICS
from inventory import stock
from inventory.models import Part
from inventory.parts import enter_part
from mechanics import registration as mechanics
from tickets import assignment, lifecycle
from tickets.models import ServiceTicket
from tickets.parts import add_part

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)

Moment = datetime.datetime
Progress = Callable[[int, int, str], None]
Event = tuple[Moment, int, Callable[[], None]]


class Year:
    """`emails` are those of the demo sign-ins: owner, mechanic, customer."""

    def __init__(
        self,
        *,
        story: Story,
        diary: Diary,
        emails: tuple[str, str, str],
        password_hash: str,
        progress: Progress,
    ) -> None:
        self.story, self.diary, self.progress = story, diary, progress
        self.owner_email, self.mechanic_email, self.customer_email = emails
        self.password_hash = password_hash
        self.actors: list[Actor] = []
        self.customers: dict[int, Customer] = {}
        self.parts: dict[str, Part] = {}
        self.on_order: set[str] = set()
        self.opened = 0
        self._events: list[Event] = []
        self._order = count()

    def happen(self) -> None:
        """Write everything, dated by the diary as it goes."""
        self._open_shop()
        self._expect_people()
        for visit in self.story.visits:
            self._at(visit.opened, self._open_ticket, visit)
        while self._events:
            moment, _, event = heapq.heappop(self._events)
            self.diary.moment = moment
            event()

    def _at(self, moment: Moment, event: Callable[..., None], *facts: Any) -> None:
        # The count keeps what happens at one moment in the order it was told.
        due: Event = (moment, next(self._order), partial(event, *facts))
        heapq.heappush(self._events, due)

    def _account(self, role: Role, email: str) -> Credentials:
        return Credentials(role, email, self.password_hash)

    # --- Before the first customer ----------------------------------------------------------------

    def _open_shop(self) -> None:
        with acting(COMMAND):
            owner = open_account(self._account(Role.BACK_OFFICE, self.owner_email))
            owner.is_staff = owner.is_superuser = True
            owner.save(update_fields=["is_staff", "is_superuser"])
        self.owner = Actor(Role.BACK_OFFICE, owner)
        for place, name in enumerate(MECHANICS):
            mechanic = mechanics.enter_mechanic(
                name=name,
                phone=f"+1 (720) 555-01{place:02}",
                salary=Decimal(44_000 + 1_850 * (place * 5 % 13)),
                approved=True,
                account=self._account(
                    Role.MECHANIC, self.mechanic_email if place == 0 else _email(name)
                ),
                actor=self.owner,
            )
            self.actors.append(Actor(Role.MECHANIC, mechanic.user, mechanic.pk))
        for row in parts():
            self.parts[row.number] = enter_part(
                fields={
                    "part_name": row.name,
                    "part_number": row.number,
                    "category": row.category,
                    "price": Decimal(row.price),
                    "cost": Decimal(row.cost),
                    "reorder_point": row.reorder_point,
                    "location": row.location,
                },
                quantity_in_stock=row.stock,
                actor=self.owner,
            )

    # --- People -----------------------------------------------------------------------------------

    def _expect_people(self) -> None:
        first: dict[int, Moment] = {}
        for visit in self.story.visits:
            customer = self.story.vehicles[visit.vehicle].customer
            first.setdefault(customer, visit.opened)
        for index in range(len(CUSTOMERS)):
            # Who has an account opened it some time before; a walk-in is entered as they come.
            ahead = index % 9 * DAY if self._has_account(index) else 10 * MINUTE
            met = first.get(index, self.story.began + (20 + 4 * index) * DAY) - ahead
            self._at(max(met, self.story.began), self._meet, index)
        for days_ago, name in zip((3, 1), APPLICANTS, strict=True):
            self._at(self.story.now - days_ago * DAY, self._apply, name)

    def _has_account(self, index: int) -> bool:
        return index % 5 in (0, 3)

    def _meet(self, index: int) -> None:
        name, phone = CUSTOMERS[index], f"+1 (303) 555-01{index:02}"
        if self._has_account(index):
            self.customers[index] = customers.enter_account_holder(
                name=name,
                phone=phone,
                account=self._account(
                    Role.CUSTOMER, self.customer_email if index == 0 else _email(name)
                ),
                actor=NOBODY,
            )
        else:
            self.customers[index] = customers.enter_walk_in(
                name=name,
                email=_email(name) if index % 7 else "",
                phone=phone,
                actor=self.owner,
            )
        for car in self.story.vehicles:
            if car.customer == index:
                vehicle = Vehicle(
                    customer=self.customers[index],
                    vin=car.vin,
                    make=car.make,
                    model=car.model,
                    year=car.year,
                    plate=car.plate,
                    colour=car.colour,
                    mileage=car.mileage(self.diary.moment),
                )
                save_vehicle(vehicle=vehicle, changed=[], actor=self.owner)

    def _apply(self, name: str) -> None:
        mechanics.enter_mechanic(
            name=name,
            phone="+1 (720) 555-0198",
            salary=None,
            approved=False,
            account=self._account(Role.MECHANIC, _email(name)),
            actor=NOBODY,
        )

    # --- Work -------------------------------------------------------------------------------------

    def _open_ticket(self, visit: Visit) -> None:
        car = self.story.vehicles[visit.vehicle]
        ticket = lifecycle.open_ticket(
            customer_id=self.customers[car.customer].pk,
            vin=car.vin,
            service_desc=visit.desc,
            service_date=visit.service_date,
            notes=visit.notes,
            mileage=car.mileage(visit.opened),
            actor=self.actors[visit.opened_by],
        )
        by = visit.opened_by
        for step in visit.steps:
            if step.kind == "assign":
                self._at(step.moment, self._assign, ticket, step.value, self.actors[by])
                by = int(str(step.value)) if by == visit.opened_by else by
            elif step.kind == "part":
                self._at(step.moment, self._use_part, ticket, step.value, self.actors[by])
            else:
                self._at(step.moment, self._move, ticket, step.value, self.actors[by])
        self.opened += 1
        self.progress(self.opened, len(self.story.visits), "tickets")

    def _assign(self, ticket: ServiceTicket, mechanic: int, actor: Actor) -> None:
        mechanic_id = self.actors[mechanic].profile_id
        assert mechanic_id is not None  # noqa: S101  every mechanic's Actor has one
        assignment.assign(ticket=ticket, mechanic_id=mechanic_id, actor=actor)

    def _move(self, ticket: ServiceTicket, how: tuple[str, str], actor: Actor) -> None:
        to, reason = how
        lifecycle.transition(ticket=ticket, to=to, reason=reason, actor=actor)

    def _use_part(self, ticket: ServiceTicket, line: tuple[str, int], actor: Actor) -> None:
        number, quantity = line
        if self.parts[number].quantity_in_stock < quantity:
            # None left: somebody drives to the wholesaler.
            self._receive(number, quantity + 1, "Fetched from the wholesaler.")
        added = add_part(
            ticket=ticket, part_id=self.parts[number].pk, quantity=quantity, actor=actor
        )
        self._keep(number, added.part)

    def _keep(self, number: str, part: Part) -> None:
        """Remember the stock, and order more when it runs low."""
        self.parts[number] = part
        low = part.quantity_in_stock <= part.reorder_point
        if low and number not in SCARCE and number not in self.on_order:
            arrival = self.diary.moment.replace(hour=9, minute=15, second=0)
            arrival += (2 + part.pk % 9) * DAY
            if arrival < self.story.now:
                self.on_order.add(number)
                quantity = 2 * max(part.reorder_point, 2) + 4
                self._at(arrival, self._receive, number, quantity, "Regular delivery.")

    def _receive(self, number: str, quantity: int, note: str) -> None:
        self.on_order.discard(number)
        part = stock.receive(
            part=self.parts[number], quantity=quantity, note=note, actor=self.actors[-1]
        )
        self._keep(number, part)


def _email(name: str) -> str:
    first, *others = name.lower().split()
    domain = "example.org" if len(name) % 2 else "example.com"
    return f"{first}.{others[-1]}@{domain}"
