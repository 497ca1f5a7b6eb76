"""The demo shop's people, colours, jobs and remarks. All invented."""

from typing import NamedTuple


class Job(NamedTuple):
    """What a customer reads, what the shop notes, which parts it takes, how often it comes."""

    desc: str
    notes: str
    parts: tuple[tuple[str, int], ...]
    hours: int
    weight: int


# The first customer and the first mechanic are the demo sign-ins.
CUSTOMERS = (
    "Dana Whitlow",
    *("Ines Carvalho", "Marcus Ellery", "Priya Raman", "Tomas Novotny", "Hannah Brightwell"),
    *("Kofi Ansong", "Yuki Tanabe", "Rosa Delgadillo", "Peter Lindqvist", "Amira Haddadin"),
    *("Gavin Thornbury", "Mei Lianwei", "Samuel Okonjo", "Elena Petrosyan", "Dylan Harkness"),
    *("Fatima Benhaddou", "Oscar Lundgren", "Grace Mutasa", "Andre Beaulieu", "Nadia Kowalik"),
    *("Trevor Ashdown", "Lucia Montanez", "Ravi Deshmane", "Joanne Pickford", "Malik Farouki"),
    *("Clara Steinmetz", "Diego Arroyave", "Wendy Stallard", "Bao Nguyentran", "Irene Vasilakos"),
    *("Curtis Holloman", "Zainab Sulaiman", "Erik Halvarsson", "Paula Quintero", "Neil Cartwell"),
    *("Sunita Bhandare", "Leon Verhoest", "Tamara Jovicic", "Calvin Broadnax", "Miriam Goldfein"),
    *("Hassan Tarabay", "Olga Semchenko", "Felix Baumbach", "Denise Laroque", "Jin Seojun"),
    *("Abigail Fenwick", "Rashid Almasi", "Carmen Villareal", "Stuart Penhale", "Aisha Womack"),
    *("Lars Nygaard", "Beatriz Fonseca", "Harold Kittredge", "Thuy Phamdang", "Monique Desrosiers"),
    *("Vikram Sethuraman", "Ellen Farrington", "Mateo Izaguirre", "Ruth Abernethy"),
    *("Ivan Dragomir", "Keisha Tolliver", "Noah Brandvold", "Sofia Marangos", "Walter Ostrom"),
    *("Leila Mansouri", "Bruno Castellani", "Gwen Tredinnick"),
)

MECHANICS = (
    "Sam Oduya",
    *("Lisa Raymund", "Mike Chenoweth", "Teresa Bianco", "Dwayne Pruitt", "Katya Morozenko"),
    *("Luis Escamilla", "Hiro Matsuda", "Brenda Colquhoun", "Omar Zeidan", "Pat Gallower"),
    *("Anneke Visscher",),
)
APPLICANTS = ("Jorge Palomino", "Freya Sandvik")

COLOURS = ("white", "black", "silver", "grey", "blue", "red", "dark green", "beige", "orange")

ON_HOLD = (
    "Waiting for a part from the supplier.",
    "Waiting for the customer to approve the estimate.",
    "Part on back order, expected next week.",
    "Customer is away and asked us to wait.",
)
CANCELLED = (
    "The customer called to cancel.",
    "The customer did not come and could not be reached.",
    "The customer declined the estimate.",
    "The car was sold.",
    "Booked twice by mistake.",
)
COMEBACKS = (
    "Customer returned after two days: not better.",
    "Customer returned: something rattles since the repair.",
    "A cover was left loose.",
)
EXTRAS = (
    ("Also replace the wiper blades.", (("WIP-102", 1), ("WIP-103", 1))),
    ("Also replace the cabin air filter.", (("FLT-121", 1),)),
    ("Also replace a tail light bulb.", (("LGT-104", 1),)),
    ("Also check the tire pressures and top up the washer fluid.", (("FLD-151", 1),)),
    ("Also look at a slow leak in one tire.", (("TIR-111", 1),)),
)

_OIL = (("FLT-101", 1), ("ENG-131", 1))
JOBS = (
    Job("Oil and filter change.", "", (*_OIL, ("FLD-104", 1)), 1, 12),
    Job("Oil and filter change, tire rotation.", "", (*_OIL, ("FLD-103", 1)), 1, 10),
    Job(
        "Full service: oil, all filters, 30-point inspection.",
        "Front pads at 5 mm; tell the customer for the next visit.",
        (("FLT-102", 1), ("FLT-112", 1), ("FLT-122", 1), ("FLD-103", 1), ("ENG-131", 1)),
        2,
        8,
    ),
    Job(
        "Service with cartridge filter, 0W-20 synthetic.",
        "",
        (("FLT-103", 1), ("FLD-104", 1), ("FLD-101", 1)),
        1,
        5,
    ),
    Job(
        "Squeal from the front brakes: replace pads and discs.",
        "Discs below minimum thickness, 21.4 mm.",
        (("BRK-103", 1), ("BRK-111", 2), ("BRK-171", 1)),
        2,
        9,
    ),
    Job("Replace front brake pads.", "", (("BRK-101", 1), ("BRK-171", 1)), 1, 6),
    Job(
        "Grinding from the rear brakes: replace pads and discs.",
        "Right rear worn to the metal.",
        (("BRK-102", 1), ("BRK-112", 2), ("BRK-171", 1)),
        2,
        6,
    ),
    Job("Soft brake pedal: flush the brake fluid.", "Fluid 3.8 % water.", (("FLD-121", 3),), 1, 4),
    Job(
        "Car pulls to the left when braking: seized front caliper.",
        "Hose perished too.",
        (("BRK-121", 1), ("BRK-141", 1), ("FLD-121", 2)),
        3,
        2,
    ),
    Job("ABS light on: read faults, replace wheel speed sensor.", "C0035", (("BRK-151", 1),), 1, 3),
    Job(
        "Check engine light, rough idle: misfire on cylinder 3.",
        "P0303. Plugs worn, coil cracked.",
        (("IGN-101", 4), ("IGN-111", 1)),
        2,
        6,
    ),
    Job("Replace spark plugs (V6).", "", (("IGN-102", 6),), 2, 4),
    Job("Check engine light: oxygen sensor.", "P0141, heater open.", (("ELC-142", 1),), 1, 4),
    Job("Check engine light: evaporative system leak.", "P0455.", (("FUE-104", 1),), 1, 3),
    Job(
        "Car will not start: test and replace battery.", "CCA 190 of 640.", (("ELC-101", 1),), 1, 7
    ),
    Job(
        "Slow cranking, battery replaced with AGM.",
        "Registered in the control unit.",
        (("ELC-103", 1), ("ELC-131", 1)),
        1,
        4,
    ),
    Job(
        "Battery light on while driving: alternator.",
        "12.1 V at idle.",
        (("ELC-111", 1), ("BLT-101", 1)),
        3,
        3,
    ),
    Job("Clicks but does not crank: starter motor.", "", (("ELC-121", 1),), 2, 2),
    Job(
        "Overheating in traffic: cooling system check, thermostat.",
        "Stuck closed.",
        (("CLG-103", 1), ("FLD-111", 1)),
        2,
        4,
    ),
    Job(
        "Coolant leak: replace water pump and belt.",
        "Weep hole wet.",
        (("CLG-105", 1), ("BLT-102", 1), ("FLD-111", 2)),
        4,
        4,
    ),
    Job(
        "Coolant leak: radiator and upper hose.",
        "Tank cracked at the seam.",
        (("CLG-101", 1), ("CLG-106", 1), ("FLD-112", 2)),
        3,
        2,
    ),
    Job(
        "Timing belt and water pump at the maker's interval.",
        "",
        (("ENG-101", 1), ("CLG-105", 1), ("FLD-111", 2)),
        6,
        3,
    ),
    Job("Oil leak at the valve cover: replace gasket.", "", (("ENG-111", 1),), 2, 4),
    Job(
        "Vibration at idle: replace engine mount.",
        "Right mount collapsed.",
        (("ENG-121", 1),),
        2,
        2,
    ),
    Job(
        "Squeak on cold start: serpentine belt and tensioner.",
        "",
        (("BLT-101", 1), ("BLT-111", 1)),
        1,
        3,
    ),
    Job(
        "Clunk over bumps: sway bar links and bushings.",
        "Both sides have play.",
        (("SUS-131", 2), ("SUS-133", 2)),
        2,
        5,
    ),
    Job(
        "Front struts leaking: replace both, alignment.",
        "",
        (("SUS-101", 1), ("SUS-102", 1), ("SUS-104", 2)),
        4,
        3,
    ),
    Job("Bouncy rear end: replace rear shocks.", "", (("SUS-103", 2),), 2, 2),
    Job("Humming that grows with speed: front wheel bearing.", "Left.", (("SUS-141", 1),), 2, 4),
    Job("Steering wanders: outer tie rod ends, alignment.", "", (("STR-101", 2),), 2, 4),
    Job("Clicking in tight turns: replace CV axle.", "Outer boot torn.", (("DRV-101", 1),), 2, 3),
    Job(
        "Transmission service: fluid and filter.",
        "Fluid dark, no metal.",
        (("DRV-106", 1), ("FLD-131", 5)),
        2,
        4,
    ),
    Job("CVT fluid change.", "", (("FLD-132", 5),), 1, 3),
    Job("Four new tires, mount and balance.", "", (("TIR-104", 4), ("TIR-111", 4)), 1, 6),
    Job("Two new tires, mount and balance.", "", (("TIR-101", 2), ("TIR-111", 2)), 1, 4),
    Job("Tire pressure light: replace sensor.", "Rear left.", (("ELC-171", 1),), 1, 4),
    Job(
        "Air conditioning blows warm: leak test and recharge.",
        "Condenser tight; O-rings replaced.",
        (("AIR-105", 1), ("FLD-152", 2)),
        2,
        5,
    ),
    Job("Air conditioning: replace condenser.", "", (("AIR-102", 1), ("FLD-152", 2)), 3, 2),
    Job("Heater fan works on one speed only.", "", (("ELC-152", 1),), 1, 3),
    Job("Window does not go down: regulator, front left.", "", (("ELC-161", 1),), 2, 2),
    Job("Low beam out: replace both bulbs.", "", (("LGT-102", 2),), 1, 4),
    Job(
        "Rattle under the car: exhaust clamp and gasket.",
        "",
        (("EXH-104", 2), ("EXH-103", 1)),
        1,
        4,
    ),
    Job("Loud exhaust: replace muffler.", "", (("EXH-102", 1), ("EXH-104", 1)), 2, 2),
    Job("Pre-purchase inspection.", "Report e-mailed.", (), 2, 4),
    Job("State inspection.", "", (), 1, 8),
    Job("Diagnose a noise from the front on rough roads.", "Road test with customer.", (), 2, 4),
)
# Rarely asked for, and the parts that are never there when they are.
JOBS_WAITING = (
    Job("Rattle on start-up: replace timing chain.", "Quote sent.", (("BLT-112", 1),), 8, 1),
    Job("Catalytic converter below threshold.", "P0420.", (("EXH-103", 2),), 3, 1),
    Job("No fuel pressure: replace fuel pump.", "Module on order.", (), 4, 1),
    Job("Clutch slips: replace clutch kit.", "", (("DRV-108", 1),), 7, 1),
    Job("Air conditioning compressor noisy.", "Compressor on order.", (("AIR-104", 1),), 4, 1),
)
