"""Class lists of data sets: `classes.txt` of the user's own, and those that published sets have without saying so."""

from pathlib import Path

from edgeseld.core.classes import STARSS_CLASSES
from edgeseld.core.errors import DataError
from edgeseld.data.text import read_text

CLASS_LIST_NAME = "classes.txt"
MAESTRO_LABEL_FOLDER = "development_annotation"

# MAESTRO Real, in the order of the DCASE 2023 task 4b baseline. Its label files write some with spaces and a slash,
# which `class_key` turns into these.
MAESTRO_CLASSES = (
    "birds_singing",
    "car",
    "people_talking",
    "footsteps",
    "children_voices",
    "wind_blowing",
    "brakes_squeaking",
    "large_vehicle",
    "cutlery_and_dishes",
    "furniture_dragging",
    "coffee_machine",
    "metro_approaching",
    "metro_leaving",
    "door_opens_closes",
    "announcement",
    "shopping_cart",
    "cash_register_beeping",
)


def class_key(name: str) -> str:
    """A class name as class lists spell it.

    >>> class_key("door opens/closes")
    'door_opens_closes'
    """
    return name.strip().replace(" ", "_").replace("/", "_")


def read_class_list(path: Path) -> tuple[str, ...]:
    """Class names, one a line, in the order of their indices; DataError for none, or one that stands there twice."""
    names = tuple(line.strip() for line in read_text(path).splitlines() if line.strip())
    if not names:
        raise DataError(f"{path}: a class list has one name a line, got none; write the first class into line 1")
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise DataError(f"{path}: class names must differ, got {twice!r} twice; rename one")
    return names


def implied_classes(root: Path) -> tuple[str, ...]:
    """Classes of a data set without `dataset.json`: its `classes.txt`, those of MAESTRO Real, or the 13 of STARSS."""
    own = root / CLASS_LIST_NAME
    if own.exists():
        return read_class_list(own)
    return MAESTRO_CLASSES if (root / MAESTRO_LABEL_FOLDER).is_dir() else STARSS_CLASSES
