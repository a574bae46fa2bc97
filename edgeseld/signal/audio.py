"""Audio files to float32 (channels, samples) at 24 kHz, and back; what cannot be heard as meant is refused."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import AudioFormatError
from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.spec import CHANNELS, ChannelFormat
from edgeseld.signal.decoding import decode_array, decode_file
from edgeseld.signal.resampling import to_sample_rate

Float32 = NDArray[np.float32]
FoaOrder = Literal["acn-sn3d", "acn-n3d", "fuma"]

# Codecs, resampling and FuMa's W may overshoot full scale a little; integers stored as floats lie far above this.
HIGHEST_PEAK = 16.0
PCM16_SCALE = 32_768


def read_audio(
    path: Path, channel_format: ChannelFormat, foa_order: FoaOrder = "acn-sn3d", *, content: bytes | None = None
) -> Float32:
    """Audio (channels, samples) at 24 kHz, full scale 1, of a sound file of any rate or an `.npy` scene at 24 kHz.

    `content` is the sound file where it lies on no disk; `path` is then what messages call it.

    FOA comes out as W, Y, Z, X in SN3D; `foa_order` names what the file holds. Nothing is clipped or normalised.
    AudioFormatError for a wrong channel count, NaN or infinite samples, an empty, truncated, corrupt or unknown file, a
    rate outside 8 to 192 kHz; silence is fine.
    """
    count = CHANNELS[channel_format]
    audio, rate_hz = _decode(Path(path), content)
    if len(audio) != count:
        fitting = [name for name, channels in CHANNELS.items() if channels == len(audio)]
        advice = f"its channels fit {' or '.join(fitting)}" if fitting else "extract the channels first"
        raise AudioFormatError(f"{path}: format {channel_format} needs {count} channels, got {len(audio)}; {advice}")
    if channel_format == "foa":
        audio = to_acn_sn3d(audio, foa_order)
    return to_sample_rate(audio, rate_hz)


def read_channels(path: Path, channels: int) -> Float32:
    """The same for a recording of a described array, before it is encoded: (channels, samples) as they are."""
    audio, rate_hz = _decode(Path(path))
    if len(audio) != channels:
        raise AudioFormatError(
            f"{path}: the array has {channels} microphones, got {len(audio)} channels; check the array's description"
        )
    return to_sample_rate(audio, rate_hz)


def _decode(path: Path, content: bytes | None = None) -> tuple[Float32, int]:
    """Audio (channels, samples) at its own rate; AudioFormatError unless there are samples with sane values."""
    audio, rate_hz = decode_array(path) if path.suffix == ".npy" else decode_file(path, content)
    if audio.size == 0:
        raise AudioFormatError(f"{path}: audio needs at least one sample, got none; record or export it again")
    peak = max(-float(audio.min()), float(audio.max()))
    if not np.isfinite(peak):
        bad = int(audio.size - np.isfinite(audio).sum())
        raise AudioFormatError(f"{path}: samples must be finite, got {bad} NaN or infinite; repair the file")
    if peak > HIGHEST_PEAK:
        raise AudioFormatError(
            f"{path}: full scale is 1, got a peak of {peak:.4g}; divide integer samples by their full scale first"
        )
    return audio, rate_hz


def to_acn_sn3d(foa: Float32, foa_order: FoaOrder) -> Float32:
    """FOA (4, samples) of another convention to W, Y, Z, X with SN3D gains (a plane wave: W 1, its vector Y, Z, X).

    N3D scales Y, Z and X by sqrt(3); FuMa is W, X, Y, Z with W divided by sqrt(2).
    """
    if foa_order == "acn-n3d":
        return foa * np.array([1.0, *[3.0**-0.5] * 3], np.float32)[:, None]
    if foa_order == "fuma":
        return foa[[0, 2, 3, 1]] * np.array([2.0**0.5, 1.0, 1.0, 1.0], np.float32)[:, None]
    return foa


def write_audio(path: Path, audio: Float32) -> None:
    """Write audio (channels, samples) at 24 kHz as 16-bit `.wav` or `.flac`, or as float32 `.npy`, by the suffix.

    AudioFormatError for another suffix, for values outside [-1, 1] and for values that are not finite.
    """
    path = Path(path)
    if audio.size and not np.abs(audio).max() <= 1.0:
        raise AudioFormatError(
            f"{path}: samples to write must lie within [-1, 1], got {np.abs(audio).max():.4g}; scale them first"
        )
    if path.suffix not in (".wav", ".flac", ".npy"):
        raise AudioFormatError(
            f"{path}: audio is written as .wav, .flac or .npy, got {path.suffix!r}; rename the output"
        )
    with atomic_file(path) as temporary:
        if path.suffix == ".npy":
            np.save(temporary, np.asarray(audio, np.float32))
        else:
            _write_pcm16(temporary, audio)


def _write_pcm16(path: Path, audio: Float32) -> None:
    """Rounded to the nearest step; +1 becomes the largest step."""
    import soundfile

    steps = np.minimum(np.rint(audio.T * np.float32(PCM16_SCALE)), PCM16_SCALE - 1).astype(np.int16)
    soundfile.write(path, steps, SAMPLE_RATE_HZ, subtype="PCM_16")
