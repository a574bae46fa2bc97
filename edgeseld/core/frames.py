"""The clock of edgeseld: 24 kHz samples and 100 ms label frames, in integers only."""

SAMPLE_RATE_HZ = 24_000
LABEL_FRAME_SAMPLES = 2_400
LABEL_FRAMES_PER_S = SAMPLE_RATE_HZ // LABEL_FRAME_SAMPLES


def ceil_div(numerator: int, denominator: int) -> int:
    """Smallest integer at least numerator / denominator, without floating point.

    >>> ceil_div(2401, 2400)
    2
    """
    return -(-numerator // denominator)


def label_frames(samples: int) -> int:
    """Number of label frames that cover `samples` samples; a started frame counts.

    >>> label_frames(24_001)
    11
    """
    return ceil_div(samples, LABEL_FRAME_SAMPLES)


def frame_onset_s(frame: int) -> float:
    """Start of a label frame in seconds.

    >>> frame_onset_s(7)
    0.7
    """
    return frame / LABEL_FRAMES_PER_S
