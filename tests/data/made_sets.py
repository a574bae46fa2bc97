"""Small folders in the layouts of the published data sets."""

from pathlib import Path

import numpy as np
import soundfile

ROWS_2022 = "0,1,1,-50,30\n0,1,2,10,-20\n7,8,0,180,-90\n"
ROWS_2023 = "0,1,1,-50,30,181\n0,1,2,10,-20,243\n7,8,0,180,-90,90\n"
ROWS_2025 = "frame,class,source,azimuth,distance,onscreen\n0,1,1,-50,181,0\n0,1,2,10,243,1\n7,8,0,90,90,0\n"
SOFT = "0.0\t1.0\tcutlery and dishes\t0.226\n0.0\t1.0\tdoor opens/closes\t0.75\n2.0\t3.0\tbirds_singing\t1.0000000002\n"
EVENTS = "onset,offset,class,azimuth,elevation,distance\n0.25,0.5,kettle,-30,10,150\n0.4,1.0,cat,90,0,80\n"


def write_wav(path: Path, channels: int, seconds: float = 1.0, rate_hz: int = 24_000) -> None:
    """Noise, the same for the same file name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(sum(path.stem.encode()))
    audio = generator.uniform(-0.5, 0.5, (round(seconds * rate_hz), channels))
    soundfile.write(path, audio, rate_hz, subtype="PCM_16")


def write_text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def starss(root: Path, rows: str = ROWS_2023, formats: tuple[str, ...] = ("foa", "mic")) -> Path:
    """One scene on either side of the split."""
    for key in ("dev-train-tau/fold3_room4_mix001", "dev-test-sony/fold4_room23_mix001"):
        for name in formats:
            write_wav(root / f"{name}_dev/{key}.wav", 4)
        write_text(root / f"metadata_dev/{key}.csv", rows)
    return root


def stereo2025(root: Path) -> Path:
    """Two clips, one of them without events."""
    keys = ("dev-train-tau/fold3_room4_mix001_deg105_start12", "dev-test-sony/fold4_room23_mix001_deg000_start7")
    for key, rows in zip(keys, (ROWS_2025, ROWS_2025.splitlines()[0] + "\n"), strict=True):
        write_wav(root / f"stereo_dev/{key}.wav", 2)
        write_text(root / f"metadata_dev/{key}.csv", rows)
    return root


def maestro(root: Path) -> Path:
    """One recording of three seconds."""
    write_wav(root / "development_audio/cafe_restaurant/cafe_restaurant_00.wav", 2, 3.0, 44_100)
    write_text(root / "development_annotation/soft_labels_cafe_restaurant/cafe_restaurant_00.txt", SOFT)
    return root


def plain(root: Path, events: str = EVENTS) -> Path:
    """One recording with a list of events, one with label frames."""
    write_text(root / "classes.txt", "cat\nkettle\n")
    write_wav(root / "audio/kitchen.wav", 4, 1.2, 48_000)
    write_text(root / "audio/kitchen.csv", events)
    write_wav(root / "audio/evening/hall.wav", 4)
    write_text(root / "audio/evening/hall.csv", "3,1,0,-90,45\n")
    return root
