"""How days and moments are written on a page: one way, and none that is read as another day elsewhere."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
