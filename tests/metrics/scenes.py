"""Made events for tests: rows written by hand, and random scenes."""

from dataclasses import replace

import numpy as np

from edgeseld.metrics.labels import Labels
from tests.metrics.plain_scorer import Row


def labels(rows: list[tuple[float, ...]]) -> Labels:
    """Labels of rows (frame, class, source, azimuth, elevation[, distance_m[, onscreen]])."""
    table = np.array(rows, dtype=np.float64).reshape(len(rows), -1) if rows else np.zeros((0, 7))
    frame, class_id, source = table[:, :3].astype(np.int64).T
    distance_m = table[:, 5] if table.shape[1] > 5 else None
    onscreen = table[:, 6].astype(np.int64) if table.shape[1] > 6 else None
    return Labels(frame, class_id, source, table[:, 3], table[:, 4], distance_m, onscreen)


def track(frames: range, class_id: int, source: int, azimuth_deg: float, *place: float) -> list[tuple[float, ...]]:
    """A source that does not move; `place` is elevation, distance and on-screen flag as far as given."""
    return [(frame, class_id, source, azimuth_deg, *(place or (0.0,))) for frame in frames]


def random_scene(generator: np.random.Generator, frames: int = 35, rows: int = 60) -> Labels:
    """Rows in random order, up to many of one class in a frame, with distance and on-screen flag."""
    count = int(generator.integers(1, rows))
    return Labels(
        frame=generator.integers(0, frames, count),
        class_id=generator.integers(0, 3, count),
        source=generator.permutation(count),
        azimuth_deg=generator.uniform(-180, 180, count),
        elevation_deg=generator.uniform(-90, 90, count),
        distance_m=generator.uniform(0.3, 6, count).round(2),
        onscreen=generator.integers(0, 2, count),
    )


def near(scene: Labels, generator: np.random.Generator, spread_deg: float = 15.0) -> Labels:
    """Some rows of a scene, moved a little; a few change class or frame."""
    kept = np.flatnonzero(generator.random(len(scene)) < 0.85)
    shifted = np.where(generator.random(len(kept)) < 0.15, 1, 0)
    azimuth = scene.azimuth_deg[kept] + generator.normal(0, spread_deg, len(kept))
    elevation = scene.elevation_deg[kept] + generator.normal(0, spread_deg / 2, len(kept))
    assert scene.distance_m is not None
    assert scene.onscreen is not None
    return Labels(
        frame=scene.frame[kept] + shifted,
        class_id=(scene.class_id[kept] + (generator.random(len(kept)) < 0.1)) % 3,
        source=generator.permutation(len(kept)),
        azimuth_deg=(azimuth + 180) % 360 - 180,
        elevation_deg=np.clip(elevation, -90, 90),
        distance_m=(scene.distance_m[kept] * generator.uniform(0.2, 2.5, len(kept))).round(2),
        onscreen=generator.integers(0, 2, len(kept)),
    )


def shuffled(scene: Labels, generator: np.random.Generator) -> Labels:
    """The same rows in another order."""
    order = generator.permutation(len(scene))
    columns = ("frame", "class_id", "source", "azimuth_deg", "elevation_deg", "distance_m", "onscreen")
    return replace(scene, **{name: getattr(scene, name)[order] for name in columns})


def plain_rows(scene: Labels, stereo: bool) -> list[Row]:
    """The same events for the plain scorer; stereo distances in centimetres."""
    assert scene.distance_m is not None
    assert scene.onscreen is not None
    distance = (scene.distance_m * 100).round(6) if stereo else scene.distance_m
    columns = (
        scene.frame,
        scene.class_id,
        scene.source,
        scene.azimuth_deg,
        scene.elevation_deg,
        distance,
        scene.onscreen,
    )
    return [
        Row(int(f), int(c), int(s), float(a), float(e), float(d), int(o))
        for f, c, s, a, e, d, o in zip(*columns, strict=True)
    ]
