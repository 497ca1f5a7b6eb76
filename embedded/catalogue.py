"""The demo shop's parts: number, name, price, cost, first stock, reorder point."""

from collections.abc import Iterator
from typing import NamedTuple

Row = tuple[str, str, str, str, int, int]

# Ordered, and the supplier has none: never delivered, so the low-stock list has something to say.
SCARCE = {
    *("FLT-132", "FLD-153", "BRK-123", "IGN-141", "ENG-102", "ENG-162", "CLG-110", "SUS-151"),
    *("STR-105", "DRV-104", "ELC-112", "ELC-163", "LGT-106", "LGT-109", "WIP-108", "EXH-101"),
    *("EXH-106", "TIR-106", "AIR-101", "FUE-101"),
}

SHELVES: dict[str, tuple[str, tuple[Row, ...]]] = {
    "Filters": (
        "A",
        (
            ("FLT-101", "Oil filter, spin-on, small", "9.90", "4.10", 60, 15),
            ("FLT-102", "Oil filter, spin-on, large", "12.50", "5.40", 40, 12),
            ("FLT-103", "Oil filter cartridge", "14.20", "6.30", 36, 10),
            ("FLT-111", "Engine air filter, compact", "18.90", "8.20", 24, 6),
            ("FLT-112", "Engine air filter, SUV", "24.50", "11.00", 20, 6),
            ("FLT-113", "Engine air filter, truck", "29.90", "13.80", 14, 4),
            ("FLT-121", "Cabin air filter", "19.90", "7.90", 30, 8),
            ("FLT-122", "Cabin air filter, charcoal", "27.50", "12.40", 16, 5),
            ("FLT-131", "Fuel filter, gasoline", "22.40", "9.90", 10, 4),
            ("FLT-132", "Fuel filter, diesel", "38.00", "17.50", 2, 3),
        ),
    ),
    "Fluids": (
        "B",
        (
            ("FLD-101", "Engine oil 0W-20, 1 qt", "9.50", "5.10", 120, 30),
            ("FLD-102", "Engine oil 5W-30, 1 qt", "8.90", "4.70", 120, 30),
            ("FLD-103", "Engine oil 5W-30 synthetic, 5 qt", "39.90", "22.50", 48, 12),
            ("FLD-104", "Engine oil 0W-20 synthetic, 5 qt", "42.90", "24.80", 48, 12),
            ("FLD-111", "Coolant, long life, 1 gal", "21.90", "11.20", 30, 8),
            ("FLD-112", "Coolant, premixed, 1 gal", "17.90", "8.60", 24, 6),
            ("FLD-121", "Brake fluid DOT 4, 12 oz", "8.40", "3.90", 36, 10),
            ("FLD-122", "Brake fluid DOT 3, 12 oz", "7.20", "3.10", 24, 6),
            ("FLD-131", "Automatic transmission fluid, 1 qt", "12.90", "6.80", 60, 16),
            ("FLD-132", "CVT fluid, 1 qt", "15.90", "8.90", 40, 12),
            ("FLD-133", "Gear oil 75W-90, 1 qt", "14.50", "7.40", 20, 6),
            ("FLD-141", "Power steering fluid, 12 oz", "9.20", "4.00", 18, 5),
            ("FLD-151", "Washer fluid, 1 gal", "4.90", "2.10", 48, 12),
            ("FLD-152", "Refrigerant R-134a, 12 oz", "14.90", "7.50", 30, 8),
            ("FLD-153", "Refrigerant R-1234yf, 8 oz", "79.00", "48.00", 0, 4),
        ),
    ),
    "Brakes": (
        "C",
        (
            ("BRK-101", "Brake pad set, front", "54.90", "26.40", 24, 8),
            ("BRK-102", "Brake pad set, rear", "49.90", "23.80", 20, 6),
            ("BRK-103", "Brake pad set, front, ceramic", "72.90", "36.50", 16, 6),
            ("BRK-104", "Brake pad set, rear, ceramic", "66.90", "33.20", 14, 4),
            ("BRK-111", "Brake disc, front", "68.50", "34.90", 24, 8),
            ("BRK-112", "Brake disc, rear", "59.50", "29.80", 18, 6),
            ("BRK-121", "Brake caliper, front left", "118.00", "64.00", 4, 2),
            ("BRK-122", "Brake caliper, front right", "118.00", "64.00", 4, 2),
            ("BRK-123", "Brake caliper, rear", "109.00", "58.00", 1, 2),
            ("BRK-131", "Brake shoe set", "44.90", "20.70", 8, 3),
            ("BRK-132", "Brake drum", "57.00", "28.30", 6, 2),
            ("BRK-141", "Brake hose, front", "26.50", "11.90", 8, 3),
            ("BRK-142", "Brake hose, rear", "24.50", "10.90", 6, 2),
            ("BRK-151", "Wheel speed sensor, front", "46.90", "21.50", 6, 2),
            ("BRK-152", "Wheel speed sensor, rear", "46.90", "21.50", 6, 2),
            ("BRK-161", "Parking brake cable", "39.00", "17.60", 4, 2),
            ("BRK-162", "Brake master cylinder", "129.00", "71.00", 3, 1),
            ("BRK-171", "Brake pad hardware kit", "12.90", "4.80", 30, 8),
        ),
    ),
    "Ignition": (
        "D",
        (
            ("IGN-101", "Spark plug, iridium", "14.90", "7.20", 64, 16),
            ("IGN-102", "Spark plug, platinum", "9.90", "4.60", 48, 12),
            ("IGN-111", "Ignition coil, 4-cylinder", "58.00", "29.00", 12, 4),
            ("IGN-112", "Ignition coil, V6", "64.00", "32.50", 10, 4),
            ("IGN-121", "Spark plug wire set", "42.50", "19.80", 5, 2),
            ("IGN-131", "Crankshaft position sensor", "48.90", "22.70", 5, 2),
            ("IGN-132", "Camshaft position sensor", "44.90", "20.30", 5, 2),
            ("IGN-141", "Knock sensor", "52.00", "24.90", 1, 2),
        ),
    ),
    "Engine": (
        "E",
        (
            ("ENG-101", "Timing belt kit", "189.00", "104.00", 5, 2),
            ("ENG-102", "Timing chain kit", "279.00", "158.00", 0, 1),
            ("ENG-111", "Valve cover gasket", "34.90", "15.40", 10, 3),
            ("ENG-112", "Oil pan gasket", "29.90", "12.80", 8, 3),
            ("ENG-113", "Head gasket set", "149.00", "81.00", 2, 1),
            ("ENG-121", "Engine mount", "84.00", "43.00", 6, 2),
            ("ENG-131", "Oil drain plug with washer", "5.90", "1.60", 60, 15),
            ("ENG-141", "PCV valve", "13.90", "5.20", 10, 3),
            ("ENG-151", "Oil pressure switch", "21.50", "9.10", 6, 2),
            ("ENG-161", "Mass air flow sensor", "124.00", "68.00", 4, 2),
            ("ENG-162", "Throttle body", "219.00", "127.00", 1, 1),
        ),
    ),
    "Cooling": (
        "F",
        (
            ("BLT-101", "Serpentine belt, 6-rib", "34.90", "16.20", 14, 4),
            ("BLT-102", "Serpentine belt, 7-rib", "39.90", "18.80", 10, 4),
            ("BLT-111", "Belt tensioner", "78.00", "39.50", 6, 2),
            ("BLT-112", "Idler pulley", "29.50", "13.20", 8, 3),
            ("CLG-101", "Radiator, compact", "168.00", "92.00", 4, 2),
            ("CLG-102", "Radiator, truck", "229.00", "131.00", 3, 1),
            ("CLG-103", "Thermostat with housing", "49.90", "23.40", 10, 3),
            ("CLG-105", "Water pump", "94.00", "48.00", 8, 3),
            ("CLG-106", "Radiator hose, upper", "24.90", "10.80", 8, 3),
            ("CLG-107", "Radiator hose, lower", "26.90", "11.70", 8, 3),
            ("CLG-108", "Radiator cap", "11.90", "4.10", 12, 4),
            ("CLG-109", "Cooling fan assembly", "159.00", "86.00", 3, 1),
            ("CLG-110", "Heater core", "112.00", "61.00", 0, 1),
        ),
    ),
    "Suspension": (
        "G",
        (
            ("SUS-101", "Front strut, left", "119.00", "63.00", 6, 2),
            ("SUS-102", "Front strut, right", "119.00", "63.00", 6, 2),
            ("SUS-103", "Rear shock absorber", "74.00", "37.00", 8, 3),
            ("SUS-104", "Strut mount", "38.50", "17.90", 10, 3),
            ("SUS-111", "Lower control arm, left", "98.00", "51.00", 4, 2),
            ("SUS-112", "Lower control arm, right", "98.00", "51.00", 4, 2),
            ("SUS-121", "Ball joint, lower", "42.90", "19.60", 8, 3),
            ("SUS-131", "Sway bar link", "31.90", "13.90", 14, 4),
            ("SUS-133", "Sway bar bushing", "14.90", "5.60", 12, 4),
            ("SUS-141", "Wheel hub and bearing, front", "109.00", "57.00", 6, 2),
            ("SUS-142", "Wheel hub and bearing, rear", "99.00", "52.00", 6, 2),
            ("SUS-151", "Coil spring, front", "67.00", "34.00", 1, 2),
        ),
    ),
    "Steering and drivetrain": (
        "H",
        (
            ("STR-101", "Tie rod end, outer", "36.90", "16.40", 12, 4),
            ("STR-102", "Tie rod end, inner", "41.90", "18.90", 8, 3),
            ("STR-104", "Power steering pump", "164.00", "92.00", 3, 1),
            ("STR-105", "Steering rack, rebuilt", "389.00", "231.00", 0, 1),
            ("DRV-101", "CV axle, left", "138.00", "74.00", 4, 2),
            ("DRV-102", "CV axle, right", "138.00", "74.00", 4, 2),
            ("DRV-103", "CV boot kit", "32.90", "13.70", 6, 2),
            ("DRV-104", "Clutch kit", "299.00", "172.00", 1, 1),
            ("DRV-106", "Transmission filter kit", "46.50", "21.80", 8, 3),
            ("DRV-107", "Universal joint", "28.90", "12.30", 6, 2),
            ("DRV-108", "Transmission mount", "62.00", "30.00", 4, 2),
        ),
    ),
    "Electrical": (
        "J",
        (
            ("ELC-101", "Battery, group 35", "159.00", "96.00", 10, 4),
            ("ELC-102", "Battery, group 24F", "164.00", "99.00", 8, 3),
            ("ELC-103", "Battery, AGM H6", "219.00", "138.00", 6, 3),
            ("ELC-111", "Alternator, 130 A", "249.00", "148.00", 3, 1),
            ("ELC-112", "Alternator, 150 A", "279.00", "166.00", 0, 1),
            ("ELC-121", "Starter motor", "198.00", "112.00", 4, 2),
            ("ELC-131", "Battery terminal", "7.90", "2.40", 24, 6),
            ("ELC-132", "Blade fuse, assorted", "1.50", "0.30", 200, 40),
            ("ELC-141", "Oxygen sensor, upstream", "89.00", "46.00", 6, 2),
            ("ELC-142", "Oxygen sensor, downstream", "79.00", "41.00", 6, 2),
            ("ELC-151", "Blower motor", "96.00", "49.00", 4, 2),
            ("ELC-152", "Blower motor resistor", "34.00", "14.60", 5, 2),
            ("ELC-161", "Window regulator, front left", "92.00", "47.00", 3, 1),
            ("ELC-162", "Window regulator, front right", "92.00", "47.00", 3, 1),
            ("ELC-163", "Door lock actuator", "58.00", "27.00", 1, 2),
            ("ELC-171", "Tire pressure sensor", "54.00", "26.00", 16, 5),
        ),
    ),
    "Lighting and wipers": (
        "K",
        (
            ("LGT-101", "Headlight bulb H7", "16.90", "6.80", 20, 6),
            ("LGT-102", "Headlight bulb H11", "18.90", "7.90", 24, 6),
            ("LGT-103", "Headlight bulb 9005", "17.90", "7.20", 18, 5),
            ("LGT-104", "Tail light bulb 7443", "5.90", "1.90", 30, 8),
            ("LGT-105", "Brake light bulb 3157", "5.50", "1.70", 30, 8),
            ("LGT-106", "LED headlight assembly, left", "389.00", "236.00", 0, 1),
            ("LGT-109", "Fog light", "64.00", "31.00", 1, 2),
            ("WIP-101", "Wiper blade, 18 in", "16.90", "6.90", 20, 6),
            ("WIP-102", "Wiper blade, 22 in", "18.90", "7.80", 24, 6),
            ("WIP-103", "Wiper blade, 26 in", "20.90", "8.90", 24, 6),
            ("WIP-106", "Wiper blade, rear", "14.90", "5.70", 14, 4),
            ("WIP-107", "Washer pump", "28.50", "12.10", 4, 2),
            ("WIP-108", "Wiper motor", "118.00", "64.00", 1, 1),
        ),
    ),
    "Exhaust": (
        "L",
        (
            ("EXH-101", "Catalytic converter", "489.00", "301.00", 0, 1),
            ("EXH-102", "Muffler", "139.00", "76.00", 4, 2),
            ("EXH-103", "Exhaust gasket", "9.90", "3.20", 20, 6),
            ("EXH-104", "Exhaust clamp", "6.90", "2.10", 24, 6),
            ("EXH-105", "Exhaust flex pipe", "58.00", "28.00", 5, 2),
            ("EXH-106", "EGR valve", "148.00", "83.00", 1, 1),
        ),
    ),
    "Tires": (
        "M",
        (
            ("TIR-101", "Tire 205/55 R16 all-season", "112.00", "74.00", 16, 8),
            ("TIR-102", "Tire 215/60 R16 all-season", "118.00", "78.00", 16, 8),
            ("TIR-103", "Tire 225/45 R17 all-season", "134.00", "89.00", 12, 8),
            ("TIR-104", "Tire 225/65 R17 all-season", "142.00", "95.00", 16, 8),
            ("TIR-105", "Tire 265/70 R17 all-terrain", "198.00", "134.00", 8, 4),
            ("TIR-106", "Tire 235/40 R19 summer", "224.00", "152.00", 2, 4),
            ("TIR-111", "Valve stem", "3.90", "0.80", 100, 24),
            ("TIR-112", "Wheel nut", "3.50", "0.90", 80, 20),
        ),
    ),
    "Air conditioning and fuel": (
        "N",
        (
            ("AIR-101", "A/C compressor", "349.00", "208.00", 1, 1),
            ("AIR-102", "A/C condenser", "178.00", "98.00", 3, 1),
            ("AIR-103", "A/C expansion valve", "44.00", "19.70", 4, 2),
            ("AIR-104", "A/C receiver drier", "48.00", "22.00", 4, 2),
            ("AIR-105", "A/C O-ring kit", "12.50", "4.20", 10, 3),
            ("FUE-101", "Fuel pump module", "269.00", "157.00", 0, 1),
            ("FUE-102", "Fuel injector", "78.00", "41.00", 8, 4),
            ("FUE-103", "Purge valve", "46.00", "20.50", 5, 2),
            ("FUE-104", "Gas cap", "17.90", "6.70", 8, 3),
        ),
    ),
}


class CataloguePart(NamedTuple):
    category: str
    location: str
    number: str
    name: str
    price: str
    cost: str
    stock: int
    reorder_point: int


def parts() -> Iterator[CataloguePart]:
    """Every part, shelf by shelf."""
    for category, (aisle, rows) in SHELVES.items():
        for place, row in enumerate(rows):
            yield CataloguePart(category, f"{aisle}{place // 4 + 1}-{place % 4 + 1:02}", *row)
