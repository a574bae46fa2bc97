"""Sound files block by block, so that hours of them need no more memory than a second."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from edgeseld.core.errors import AudioFormatError
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, SAMPLE_RATE_HZ
from edgeseld.core.prediction import Float32
from edgeseld.core.spec import CHANNELS, ChannelFormat
from edgeseld.runtime.streaming.resampling import BlockResampler
from edgeseld.signal.audio import FoaOrder, read_audio, to_acn_sn3d


def file_blocks(path: Path, channel_format: ChannelFormat, foa_order: FoaOrder = "acn-sn3d") -> Iterator[Float32]:
    """Blocks of about 100 ms, (channels, samples) at 24 kHz, of what `read_audio` reads whole.

    AudioFormatError for a file that is no sound or has other channels. Samples that are not finite come through: a
    stream counts them.
    """
    if path.suffix == ".npy":
        audio = read_audio(path, channel_format, foa_order)
        starts = range(0, audio.shape[1], LABEL_FRAME_SAMPLES)
        yield from (audio[:, start : start + LABEL_FRAME_SAMPLES] for start in starts)
        return
    resampler: BlockResampler | None = None
    for block, rate_hz in _decoded(path, CHANNELS[channel_format]):
        resampler = resampler or BlockResampler(len(block), rate_hz)
        yield resampler.push(in_format(block, channel_format, foa_order))
    if resampler is not None:
        yield resampler.finish()


def in_format(block: Float32, channel_format: ChannelFormat, foa_order: FoaOrder) -> Float32:
    """A block whose channels stand as models hear them: W, Y, Z, X in SN3D where it is FOA."""
    return to_acn_sn3d(block, foa_order) if channel_format == "foa" else block


def _decoded(path: Path, channels: int) -> Iterator[tuple[Float32, int]]:
    """Blocks at the file's own rate, and that rate."""
    import soundfile

    if not path.is_file():
        raise AudioFormatError(f"{path}: there is no such file; check the path")
    try:
        with soundfile.SoundFile(path) as file:
            if file.channels != channels:
                raise AudioFormatError(f"{path}: the model hears {channels} channels, got {file.channels}; convert it")
            length = max(file.samplerate // 10, 1)
            for block in file.blocks(length, dtype="float32", always_2d=True):
                yield np.ascontiguousarray(block.T), int(file.samplerate)
    except soundfile.LibsndfileError as error:
        raise AudioFormatError(
            f"{path}: audio must be an intact file that libsndfile reads, got: {error.error_string.strip()}; convert it"
        ) from error


def in_real_time(
    blocks: Iterable[Float32],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Float32]:
    """Hold every block back until its last sample would have come from a microphone."""
    start, samples = clock(), 0
    for block in blocks:
        samples += block.shape[1]
        sleep(max(start + samples / SAMPLE_RATE_HZ - clock(), 0.0))
        yield block
