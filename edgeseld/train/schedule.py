"""Learning rate over the steps of a training."""

import math

from edgeseld.core.recipe import TrainSpec

# HDA-SELD's tri-stage schedule: rise, hold and fall as shares of all steps; start and end as shares of the peak.
RISE, HOLD = 0.1, 0.6
TRI_START, TRI_END = 0.01, 0.05


def learning_rate_factor(step: int, spec: TrainSpec) -> float:
    """Share of the peak learning rate at a step."""
    if spec.schedule == "tri-stage":
        return _tri_stage(step / spec.steps)
    if step < spec.warmup_steps:
        return (step + 1) / spec.warmup_steps
    progress = (step - spec.warmup_steps) / (spec.steps - spec.warmup_steps)
    return 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def _tri_stage(progress: float) -> float:
    if progress < RISE:
        return TRI_START + (1.0 - TRI_START) * progress / RISE
    if progress < RISE + HOLD:
        return 1.0
    return float(TRI_END ** min((progress - RISE - HOLD) / (1.0 - RISE - HOLD), 1.0))
