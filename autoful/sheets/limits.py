"""How much of a file is taken."""

LARGEST_FILE = 32 * 1024 * 1024  # bytes
MOST_ROWS = 200_000
MOST_COLUMNS = 60
LONGEST_CELL = 10_000  # characters
LONGEST_ROW = 20_000  # characters of its cells together
LONGEST_LINES = 1024 * 1024  # characters of a CSV that are read for one row
MOST_TEXT = (
    64 * 1024 * 1024
)  # characters of all cells: a text that a workbook names often is read often
# A workbook is packed: what 32 MB unpack to may be a thousand times that.
LARGEST_UNPACKED = 256 * 1024 * 1024  # bytes
