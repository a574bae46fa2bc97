"""What one server does for how many at a time; every limit has an answer that says what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`running` requests are worked on, `waiting` ones stand behind them, more are sent away with 429.

    A body has at most `body_bytes` as it comes and `inflated_bytes` when its gzip is undone; audio lasts at most
    `audio_s` in at most `channels`; a request gets an answer within `timeout_s`. Windows of different requests that
    come within `join_wait_s` run as one batch of at most `join_windows`, where the model takes batches.
    """

    running: int = 2
    waiting: int = 16
    body_bytes: int = 32_000_000
    inflated_bytes: int = 64_000_000
    audio_s: float = 120.0
    channels: int = 8
    timeout_s: float = 30.0
    windows: int = 32
    mc_samples: int = 100
    time_shifts: int = 15
    join_windows: int = 8
    join_wait_s: float = 0.005
