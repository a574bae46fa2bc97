"""Fixtures that more than one room needs."""

import os
from pathlib import Path

# Small tensors on a shared machine: more threads only wait for each other. Set before torch is imported anywhere.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# CI runs on busy machines: time is no property of the code under test.
settings.register_profile("edgeseld", deadline=None)
settings.load_profile("edgeseld")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of recordings, room responses and label files that are never committed."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (recordings, room responses, official outputs), which is absent here")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Four vendors' converters warn while they are imported and of their own future; that is not ours to mend."""
    for item in items:
        if item.get_closest_marker("export"):
            item.add_marker(pytest.mark.filterwarnings("ignore"))
