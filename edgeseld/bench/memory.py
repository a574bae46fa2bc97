"""Memory of the own process, from the kernel's books."""

import resource
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def resident_bytes() -> int:
    """Memory held now."""
    return _status_bytes("VmRSS") or peak_bytes()


def peak_bytes() -> int:
    """Most memory held since the start, or since `reset_peak` where the system allows it."""
    return _status_bytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def reset_peak() -> None:
    """Forget the peak so far (Linux); elsewhere the peak includes what came before."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return


def _status_bytes(name: str) -> int | None:
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)
