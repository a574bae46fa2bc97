"""Sound files and `.npy` scenes to float32 samples; truncated and corrupt files are refused."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.frames import SAMPLE_RATE_HZ

Float32 = NDArray[np.float32]

PCM16_STEP = np.float32(1 / 32_768)
# What libsndfile's log says of an ogg file whose last page is missing or incomplete.
CUT_OGG = ("lacks an end-of-stream bit", "Junk after the last page")
# Recorders that write to a pipe do not know the length and leave this in the header.
UNKNOWN_LENGTH = 0xFFFF_FFFF


def decode_file(path: Path, content: bytes | None = None) -> tuple[Float32, int]:
    """Samples (channels, samples) and rate in Hz of any file that libsndfile reads; integers are scaled to [-1, 1).

    `content` is the file where it lies on no disk; `path` is then what messages call it.
    """
    import soundfile

    if content is None and not path.is_file():
        raise AudioFormatError(f"{path}: there is no such file; check the path")
    try:
        with soundfile.SoundFile(path if content is None else io.BytesIO(content)) as file:
            samples = _read(file)
            _refuse_truncated(path, file, samples.shape[1])
            return samples, int(file.samplerate)
    except soundfile.LibsndfileError as error:
        raise AudioFormatError(
            f"{path}: audio must be an intact wav, flac, ogg or other file that libsndfile reads, got: "
            f"{error.error_string.strip()}; convert it to wav or export it again"
        ) from error


def _read(file: Any) -> Float32:
    """All samples (channels, samples); libsndfile is slow at turning 16-bit integers into floats."""
    if file.subtype != "PCM_16":
        return np.ascontiguousarray(file.read(dtype="float32", always_2d=True).T)
    samples: Float32 = file.read(dtype="int16", always_2d=True).T.astype(np.float32, order="C")
    samples *= PCM16_STEP
    return samples


def _refuse_truncated(path: Path, file: Any, samples: int) -> None:
    """libsndfile reads what is left of a cut file and says so only in its log."""
    sizes = re.findall(r"(\d+) \(should be (\d+)\)", file.extra_info)
    cut = any(int(there) < int(announced) != UNKNOWN_LENGTH for announced, there in sizes)
    cut |= any(remark in file.extra_info for remark in CUT_OGG)
    if cut or samples < file.frames:
        raise AudioFormatError(
            f"{path}: the file must be as long as its header says, got {samples} samples and then its end; "
            "copy or export it again"
        )


def decode_array(path: Path) -> tuple[Float32, int]:
    """Scene (channels, samples) at 24 kHz stored as `.npy`: floats with full scale 1, or int16."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise AudioFormatError(f"{path}: there is no such file; check the path") from error
    except (ValueError, EOFError, OSError) as error:
        raise AudioFormatError(f"{path}: a scene must be an intact .npy array, got: {error}; save it again") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype not in (np.int16, np.float32, np.float64):
        raise AudioFormatError(
            f"{path}: a scene must be int16, float32 or float64 of shape (channels, samples), "
            f"got {_describe(array)}; save it again"
        )
    scale = PCM16_STEP if array.dtype == np.int16 else np.float32(1)
    return np.ascontiguousarray(array, dtype=np.float32) * scale, SAMPLE_RATE_HZ


def _describe(array: Any) -> str:
    return f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "an archive of several arrays"
