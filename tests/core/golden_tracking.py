"""Golden cases of event tracking that every language repeats: `python -m tests.core.golden_tracking` writes them.

A row of `heard` is frame, track, class, activity, x, y, z, distance in metres, then activity deviation, entropy, mutual
information, spread in degrees; other cells are zero. Numbers are float32.
"""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edgeseld.core.geometry import unit_vector
from edgeseld.core.prediction import Prediction, Uncertainty
from edgeseld.core.spec import TrackingSpec
from edgeseld.core.tracking import track_events

GOLDEN = Path(__file__).parent.parent / "golden" / "tracking.json"
CLASSES = ("bell", "knock")


def cases() -> dict[str, tuple[list[list[float]], int, TrackingSpec]]:
    """Rows, number of frames and rules by name."""
    defaults = TrackingSpec()
    return {
        "sources that cross in changing tracks": (_crossing(), 32, msgspec.structs.replace(defaults, max_gap_frames=4)),
        "hysteresis and gaps": (_levels(0.45, 0.6, 0.45, 0.39, 0.0, 0.42, 0.0, 0.0, 0.0, 0.9, 0.9), 11, defaults),
        "thresholds of classes": (
            _levels(0.3, 0.25, 0.21),
            3,
            TrackingSpec(class_thresholds={"bell": 0.25}, min_frames=1),
        ),
        "random": (_random(), 60, TrackingSpec(gate_deg=30.0, max_gap_frames=1)),
        "no directions": ([[*row[:4], 0.0, 0.0, 0.0, *row[7:]] for row in _levels(0.9, 0.8)], 2, defaults),
    }


def _row(
    frame: int, track: int, class_id: int, activity: float, azimuth_deg: float, elevation_deg: float
) -> list[float]:
    numbers = [
        activity,
        *unit_vector(azimuth_deg, elevation_deg),
        1.0 + 0.1 * frame,
        0.1,
        0.5 * activity,
        0.2,
        3.0 + track,
    ]
    return [frame, track, class_id, *np.array(numbers, np.float32).tolist()]


def _levels(*activities: float) -> list[list[float]]:
    return [_row(frame, 0, 0, p, 30.0 + frame, 5.0) for frame, p in enumerate(activities) if p]


def _crossing() -> list[list[float]]:
    rows = []
    for frame in range(32):
        azimuth_deg = 6.0 * (frame - 15.5)
        if frame in (15, 16):
            rows.append(_row(frame, 1, 0, 0.9, 0.0, 0.0))
        else:
            rows.append(_row(frame, frame % 3, 0, 0.9, azimuth_deg, 0.0))
            rows.append(_row(frame, (frame + 1) % 3, 0, 0.9, -azimuth_deg, 0.0))
    return rows


def _random() -> list[list[float]]:
    """Activities and directions that come near every rule."""
    generator = np.random.default_rng(1)
    return [
        _row(
            frame,
            track,
            class_id,
            generator.uniform(0.1, 1.0),
            100.0 * track + generator.normal(0, 15),
            generator.normal(0, 15),
        )
        for frame in range(60)
        for track in range(3)
        for class_id in range(2)
        if generator.random() < 0.6
    ]


def prediction_of(rows: list[list[float]], frames: int) -> Prediction:
    """Dense arrays of the rows."""
    cells = np.zeros((frames, 3, 2, 9), np.float32)
    for frame, track, class_id, *numbers in rows:
        cells[int(frame), int(track), int(class_id)] = numbers
    uncertainty = Uncertainty(*np.moveaxis(cells[..., 5:], -1, 0), 10, 1)
    return Prediction(cells[..., 0], cells[..., 1:4], CLASSES, cells[..., 4], uncertainty)


def content() -> list[dict[str, Any]]:
    """All cases with their events."""
    return [
        {
            "name": name,
            "classes": CLASSES,
            "frames": frames,
            "rules": rules,
            "heard": rows,
            "events": track_events(prediction_of(rows, frames), rules),
        }
        for name, (rows, frames, rules) in cases().items()
    ]


if __name__ == "__main__":
    lines = ",\n".join(msgspec.json.encode(case).decode() for case in content())
    GOLDEN.write_text(f"[\n{lines}\n]\n")
