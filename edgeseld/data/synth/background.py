"""What is always there: ambience from all around, and the noise of the microphones."""

import numpy as np

from edgeseld.core.frames import SAMPLE_RATE_HZ
from edgeseld.core.geometry import unit_vector
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.synth.convolution import Float32, fast_length, scipy_fft, scipy_signal
from edgeseld.data.synth.plan import Wave
from edgeseld.data.synth.receivers import FOA, MIC

SEAM_SAMPLES = SAMPLE_RATE_HZ // 2
# Encoding filters of a small array raise the noise of first-order channels by 6 dB an octave between these frequencies.
FOA_NOISE_CORNER_HZ = 600.0
FOA_NOISE_FLAT_HZ = 50.0


def ambience(recording: Float32, waves: tuple[Wave, ...], samples: int, channel_format: ChannelFormat) -> Float32:
    """Background (4, samples) of unit level in the first channel: the recording, looped, from several directions.

    Every direction plays another part of the recording, so the directions are uncorrelated.
    """
    fft = scipy_fft()
    loop = _seamless(recording)
    size = len(loop)
    receiver = MIC if channel_format == "mic" else FOA
    vectors = unit_vector([wave.azimuth_deg for wave in waves], [wave.elevation_deg for wave in waves])
    starts, kernels = receiver.arrivals(np.zeros(len(waves)), vectors)
    spectrum = fft.rfft(loop)
    turn = -2j * np.pi * np.arange(len(spectrum)) / size
    total = np.zeros((4, len(spectrum)), dtype=np.complex64)
    for wave, start, kernel in zip(waves, starts, kernels, strict=True):
        shifted = spectrum * (wave.gain * np.exp(turn * ((wave.offset + int(start)) % size))).astype(np.complex64)
        total += shifted * fft.rfft(kernel.astype(np.float32), size)
    field: Float32 = fft.irfft(total, size)
    field /= max(float(np.sqrt(np.mean(np.square(field[0])))), 1e-9)
    return np.tile(field, -(-samples // size))[:, :samples]


def _seamless(recording: Float32) -> Float32:
    """A loop of a recording, a fast transform length long: its end fades into its beginning with equal power."""
    seam = min(SEAM_SAMPLES, len(recording) // 4)
    size = len(recording) - seam
    while fast_length(size) != size:
        size -= 1
    ramp = np.sqrt(np.linspace(0, 1, seam, dtype=np.float32))
    loop = recording[:size].copy()
    loop[:seam] = loop[:seam] * ramp + recording[size : size + seam] * ramp[::-1]
    return loop


def sensor_noise(rng: np.random.Generator, samples: int, level: float, channel_format: ChannelFormat) -> Float32:
    """Microphone noise (4, samples): white; in ambisonics Y, Z, X carry the rise of the encoder at low frequencies."""
    noise = rng.standard_normal((4, samples), dtype=np.float32) * np.float32(level)
    if channel_format != "mic":
        gain = np.float32(2 * np.pi * FOA_NOISE_CORNER_HZ / SAMPLE_RATE_HZ)
        pole = np.float32(np.exp(-2 * np.pi * FOA_NOISE_FLAT_HZ / SAMPLE_RATE_HZ))
        noise[1:] += scipy_signal().lfilter([gain], [np.float32(1), -pole], noise[1:])
    return noise
