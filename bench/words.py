"""SQL that says the name of the n-th person, car, part or job, as varied as a shop's."""

from collections.abc import Sequence

FIRST = [
    "Sarah",
    "Tom",
    "Mike",
    "Lisa",
    "Anna",
    "Peter",
    "Maria",
    "John",
    "Emma",
    "David",
    "Laura",
    "James",
    "Nina",
    "Paul",
    "Julia",
    "Robert",
    "Elena",
    "Mark",
    "Sofia",
    "Daniel",
    "Grace",
    "Kevin",
    "Olga",
    "Brian",
    "Alice",
    "Steven",
    "Ruth",
    "Carlos",
    "Irene",
    "Frank",
    "Diana",
    "Henry",
    "Zoe",
    "Oscar",
    "Ivy",
    "Leo",
    "Mona",
    "Victor",
    "Clara",
    "Felix",
    "Hanna",
]
LAST = [
    "Johnson",
    "Chen",
    "Ray",
    "Miller",
    "Garcia",
    "Novak",
    "Smith",
    "Lopez",
    "Brown",
    "Kim",
    "Jones",
    "Silva",
    "Davis",
    "Nguyen",
    "Wilson",
    "Moore",
    "Khan",
    "Taylor",
    "Ivanov",
    "Anderson",
    "Thomas",
    "Jackson",
    "White",
    "Harris",
    "Martin",
    "Thompson",
    "Rossi",
    "Clark",
    "Lewis",
    "Lee",
    "Walker",
    "Hall",
    "Allen",
    "Young",
    "King",
    "Wright",
    "Scott",
    "Green",
    "Baker",
    "Adams",
    "Nelson",
    "Hill",
    "Rivera",
    "Campbell",
    "Mitchell",
    "Carter",
    "Roberts",
    "Turner",
]
MAKES = [
    "Ford",
    "Toyota",
    "Honda",
    "Volkswagen",
    "BMW",
    "Mazda",
    "Volvo",
    "Subaru",
    "Nissan",
    "Hyundai",
    "Kia",
]
MODELS = [
    "Focus",
    "Corolla",
    "Civic",
    "Golf",
    "320",
    "CX-5",
    "V60",
    "Outback",
    "Leaf",
    "i30",
    "Ceed",
]
COLOURS = ["black", "white", "silver", "blue", "red", "grey", "green"]
SIDES = ("Front", "Rear", "Left", "Right", "Upper", "Lower", "Heavy Duty", "Premium", "Universal")
THINGS = (
    *("Brake Pad Set", "Brake Disc", "Oil Filter", "Air Filter", "Spark Plug", "Wiper Blade"),
    *("Timing Belt", "Water Pump", "Alternator", "Starter Motor", "Shock Absorber", "Control Arm"),
    *("Wheel Bearing", "Clutch Kit", "Radiator", "Thermostat", "Fuel Pump", "Headlight Bulb"),
    *("Battery", "Ball Joint", "Tie Rod End", "CV Joint Boot", "Cabin Filter"),
)
CATEGORIES = ["brakes", "engine", "suspension", "electrical", "body", "filters", "transmission"]
JOBS = (
    *("Oil change and filter", "Front brakes grind when stopping", "Annual inspection"),
    *("Engine light is on, misfires when cold", "Replace timing belt and water pump"),
    *("Air conditioning blows warm", "Steering pulls to the left", "Battery dies overnight"),
    *("Knocking from the rear over bumps", "Coolant leak under the car", "Winter tyres on"),
    *("Clutch slips in fourth gear", "Headlight out on the right", "Gearbox hesitates"),
    *("Exhaust is loud since last week", "Window will not close", "Wheel alignment"),
)
VIN_BEGINS, VIN_GOES_ON = "1FAHP34N", "7W"
VIN_SUM = 302  # of the characters in them, each times the weight of its place (49 CFR 565.15)
MOST_CARS = 1_000_000  # a VIN ends with six digits


def one_of(choices: Sequence[str], number: str) -> str:
    """The choice whose turn it is at `number`."""
    quoted = ", ".join(f"'{choice}'" for choice in choices)
    return f"ELT(1 + MOD({number}, {len(choices)}), {quoted})"


def person(n: str) -> str:
    return f"CONCAT({one_of(FIRST, n)}, ' ', {one_of(LAST, f'{n} * 29 + {n} DIV 41')})"


def vehicle(n: str) -> dict[str, str]:
    return {
        "vin": vin(n),
        "make": one_of(MAKES, n),
        "model": one_of(MODELS, n),
        "year": f"2000 + MOD({n} * 7, 24)",
        "plate": f"CONCAT('AB-', LPAD({n}, 6, '0'))",
        "colour": one_of(COLOURS, f"{n} DIV 3"),
        "mileage": f"180000 + MOD({n} * 31, 9000)",
    }


def vin(n: str) -> str:
    """The VIN of car `n`, with the right check digit."""
    digits = " + ".join(f"MOD({n} DIV {10 ** (5 - i)}, 10) * {7 - i}" for i in range(6))
    check = f"ELT(1 + MOD({VIN_SUM} + {digits}, 11), {', '.join(repr(c) for c in '0123456789X')})"
    return f"CONCAT('{VIN_BEGINS}', {check}, '{VIN_GOES_ON}', LPAD({n}, 6, '0'))"


def part(n: str) -> dict[str, str]:
    """One in nine things is for the brakes."""
    name = f"{one_of(SIDES, n)}, ' ', {one_of(THINGS, f'{n} DIV 9')}, ' ', 100 + {n} DIV 207"
    return {
        "part_name": f"CONCAT({name})",
        "part_number": f"CONCAT('P-', LPAD({n}, 5, '0'))",
        "category": one_of(CATEGORIES, f"{n} DIV 9"),
        "price": price(n),
        "cost": cost(n),
        "location": f"CONCAT('Shelf ', 1 + MOD({n}, 60))",
    }


def price(n: str) -> str:
    return f"(500 + MOD({n} * 9973, 40000)) / 100"


def cost(n: str) -> str:
    return f"ROUND({price(n)} * 0.6, 2)"


def job(n: str) -> str:
    return one_of(JOBS, f"{n} * 5 + {n} DIV 17")
