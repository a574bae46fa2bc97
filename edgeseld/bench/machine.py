"""What figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgeseld.core.structs import Frozen

DISTRIBUTIONS = ("edgeseld", "numpy", "onnxruntime", "ai-edge-litert", "executorch", "coremltools")


class Machine(Frozen, frozen=True, kw_only=True):
    """A computer or a phone, as it describes itself."""

    processor: str
    cores: int
    system: str
    python: str


def this_machine() -> Machine:
    """Processor, cores, system and Python of this machine."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def installed_versions() -> dict[str, str]:
    """Versions of the libraries that decide on the figures, those that are installed."""
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
