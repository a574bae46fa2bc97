"""`edgeseld bench --device arm`: what a bundle says on an aarch64 processor, and how many instructions it takes there.

The processor is emulated by qemu-user. Instructions are a cost that does not depend on how busy this machine is; they
are not milliseconds: memory, caches and what a core does at once are not in them.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeseld.bench.arm_guests import Guest, hear_here, open_guest
from edgeseld.bench.arm_root import PROCESSOR, ArmRoot, open_arm_root
from edgeseld.bench.facts import bundle_facts
from edgeseld.bench.machine import Machine, installed_versions, this_machine
from edgeseld.bench.report import BenchError
from edgeseld.core.disk import temporary_folder
from edgeseld.core.structs import Frozen
from edgeseld.runtime.bundle import Bundle, open_bundle

Progress = Callable[[Iterable[Bundle], int, str], Iterable[Bundle]]
TARGETS = ("onnx", "tflite", "executorch")
COUNTED_WINDOWS = 4
COUNTS = 3


class ArmRow(Frozen, frozen=True, kw_only=True):
    """One bundle: is it verified on the emulated processor, how far is it from this machine's answers, what it costs.

    `snr_db` is the energy of this machine's raw outputs over that of the difference, all golden cases together; None
    where the two are the same bit for bit. `instructions` are those of the graph `full` for one window.
    """

    name: str
    verified: bool
    failures: tuple[str, ...]
    changed_frames: float
    difference_max: float
    snr_db: float | None
    instructions: int
    macs_per_window: float | None


class ArmReport(Frozen, frozen=True, kw_only=True):
    """What `edgeseld bench --device arm --json` writes."""

    machine: Machine
    versions: dict[str, str]
    emulator: str
    processor: str
    rows: tuple[ArmRow, ...]


def bench_arm(bundles: Sequence[Path], progress: Progress) -> ArmReport:
    """Run bundles on this machine and on the emulated one; BenchError where one is for no runtime that is there."""
    opened = [open_bundle(path) for path in bundles]
    for bundle in opened:
        if bundle.manifest.target not in TARGETS:
            raise BenchError(
                f"--device arm runs {', '.join(TARGETS)} bundles, {bundle.manifest.name} is for "
                f"{bundle.manifest.target}: leave it out"
            )
    root = open_arm_root()
    rows = tuple(_row(root, bundle) for bundle in progress(opened, len(opened), "bundles on emulated ARM"))
    return ArmReport(
        machine=this_machine(),
        versions=installed_versions(),
        emulator=root.emulator,
        processor=PROCESSOR,
        rows=rows,
    )


def difference(here: Mapping[str, np.ndarray], there: Mapping[str, np.ndarray]) -> tuple[float, float | None]:
    """Largest difference and signal-to-noise ratio in dB of raw outputs by name."""
    ours = np.concatenate([array.ravel().astype(np.float64) for array in here.values()])
    theirs = np.concatenate([there[name].ravel().astype(np.float64) for name in here])
    noise = theirs - ours
    energy = float(noise @ noise)
    return float(np.abs(noise).max()), 10.0 * math.log10(float(ours @ ours) / energy) if energy else None


def _row(root: ArmRoot, bundle: Bundle) -> ArmRow:
    guest = open_guest(root, bundle)
    here, there = hear_here(bundle), guest.hear()
    difference_max, snr_db = difference(here.raw, there.raw)
    once, often = (instructions_of(guest, windows) for windows in (1, 1 + COUNTED_WINDOWS))
    return ArmRow(
        name=bundle.manifest.name,
        verified=there.report.passed,
        failures=there.report.failures,
        changed_frames=there.report.changed_frames,
        difference_max=difference_max,
        snr_db=snr_db,
        instructions=round((often - once) / COUNTED_WINDOWS),
        macs_per_window=bundle_facts(bundle).macs_per_window,
    )


def instructions_of(guest: Guest, windows: int) -> int:
    """Instructions of a whole process, the least of three: one that waits for another spins, and the spins count."""
    counts = []
    with temporary_folder() as place:
        counted = place / "count"
        for _ in range(COUNTS):
            guest.count(windows, counted)
            counts.append(int(counted.read_text()))
    return min(counts)
