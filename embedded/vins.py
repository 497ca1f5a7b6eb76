"""Vehicles as they are sold, with VINs that decode to them.

A VIN's first eight characters say who built what; the ninth is the check digit, the tenth the
model year, the eleventh the plant, the rest a serial number (49 CFR 565, ISO 3779).
"""

from typing import NamedTuple


class VehicleModel(NamedTuple):
    make: str
    model: str
    pattern: str
    plant: str
    first_year: int
    last_year: int


# Only makes that vininfo names by the manufacturer's code as people do.
MODELS = (
    VehicleModel("Toyota", "Camry", "4T1B11HK", "U", 2018, 2023),
    VehicleModel("Toyota", "Corolla", "2T1BURHE", "C", 2014, 2019),
    VehicleModel("Toyota", "RAV4", "2T3RFREV", "W", 2013, 2018),
    VehicleModel("Toyota", "Tacoma", "5TFCZ5AN", "X", 2016, 2022),
    VehicleModel("Toyota", "Prius", "JTDKN3DU", "1", 2010, 2015),
    VehicleModel("Honda", "Civic", "19XFC2F5", "E", 2016, 2021),
    VehicleModel("Honda", "Accord", "1HGCV1F3", "A", 2018, 2022),
    VehicleModel("Honda", "CR-V", "5J6RW2H8", "L", 2017, 2022),
    VehicleModel("Honda", "Odyssey", "5FNRL6H7", "B", 2018, 2023),
    VehicleModel("Ford", "F-150", "1FTEW1EP", "F", 2015, 2020),
    VehicleModel("Ford", "Escape", "1FMCU9GD", "U", 2015, 2019),
    VehicleModel("Ford", "Focus", "1FADP3F2", "L", 2012, 2018),
    VehicleModel("Ford", "Fusion", "3FA6P0H7", "R", 2013, 2020),
    VehicleModel("Chevrolet", "Silverado 1500", "1GCUKREC", "Z", 2014, 2018),
    VehicleModel("Chevrolet", "Malibu", "1G1ZD5ST", "F", 2019, 2023),
    VehicleModel("GMC", "Sierra 1500", "3GTU2MEC", "G", 2014, 2018),
    VehicleModel("Jeep", "Grand Cherokee", "1J8HR582", "C", 2007, 2009),
    VehicleModel("Ram", "1500", "1C6RR7LT", "S", 2013, 2018),
    VehicleModel("Subaru", "Outback", "4S4BSANC", "3", 2015, 2019),
    VehicleModel("Subaru", "Impreza", "4S3GTAA6", "3", 2017, 2021),
    VehicleModel("Subaru", "Forester", "JF2SJABC", "H", 2014, 2018),
    VehicleModel("Mazda", "CX-5", "JM3KFBDM", "0", 2017, 2022),
    VehicleModel("Mazda", "3", "JM1BM1V7", "1", 2014, 2018),
    VehicleModel("Hyundai", "Elantra", "5NPD84LF", "H", 2017, 2020),
    VehicleModel("Hyundai", "Sonata", "5NPE34AF", "H", 2015, 2019),
    VehicleModel("Hyundai", "Tucson", "KM8J3CA4", "U", 2016, 2021),
    VehicleModel("Kia", "Sorento", "5XYPG4A3", "G", 2016, 2020),
    VehicleModel("Kia", "Optima", "5XXGT4L3", "G", 2016, 2020),
    VehicleModel("Kia", "Soul", "KNDJN2A2", "7", 2014, 2019),
    VehicleModel("Volkswagen", "Jetta", "3VWD17AJ", "M", 2014, 2018),
    VehicleModel("Volkswagen", "Passat", "1VWBT7A3", "C", 2016, 2019),
    VehicleModel("BMW", "328i", "WBA3A5C5", "F", 2012, 2015),
    VehicleModel("BMW", "X3", "5UXWX9C5", "0", 2012, 2017),
    VehicleModel("Audi", "A4", "WAUENAF4", "N", 2017, 2019),
    VehicleModel("Mercedes-Benz", "C 300", "55SWF4KB", "U", 2015, 2018),
    VehicleModel("Tesla", "Model 3", "5YJ3E1EA", "F", 2018, 2023),
    VehicleModel("Nissan", "Altima", "1N4AL3AP", "C", 2013, 2018),
    VehicleModel("Nissan", "Sentra", "3N1AB7AP", "Y", 2013, 2019),
    VehicleModel("Nissan", "Rogue", "5N1AT2MV", "C", 2014, 2020),
    VehicleModel("Nissan", "Pathfinder", "5N1DR2MM", "C", 2017, 2020),
)

YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789"  # from 1980 on, round every thirty years
WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
VALUES = {str(digit): digit for digit in range(10)} | dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)


def check_digit(vin: str) -> str:
    """The ninth character that `vin` should have; the one it has counts nothing."""
    rest = sum(VALUES[c] * weight for c, weight in zip(vin, WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def make_vin(*, model: VehicleModel, year: int, serial: int) -> str:
    """The VIN of the `serial`th (six digits) of these built for that model year."""
    year_code = YEAR_CODES[(year - 1980) % len(YEAR_CODES)]
    vin = f"{model.pattern}0{year_code}{model.plant}{serial:06}"
    return f"{vin[:8]}{check_digit(vin)}{vin[9:]}"
