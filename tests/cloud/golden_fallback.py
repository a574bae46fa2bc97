"""Makes tests/golden/fallback.json, which Python and every port hold to: `python -m tests.cloud.golden_fallback`."""

import json
from pathlib import Path

import numpy as np

from edgeseld.cloud.patience import FIRST_WAIT_S, LONGEST_WAIT_S, CircuitBreaker
from edgeseld.cloud.policy import MEASURES, doubt, fit_threshold
from edgeseld.core.prediction import Prediction, Uncertainty
from edgeseld.core.spec import TrackingSpec

PATH = Path(__file__).parent.parent / "golden" / "fallback.json"
CLASSES = ("bell", "knock")


def made_prediction(seed: int) -> Prediction:
    """Six label frames, two tracks, two classes; every value is a multiple of 1/64, exact in any language."""
    generator = np.random.default_rng(seed)

    def grid(top: float) -> np.ndarray:
        return (generator.integers(0, int(64 * top) + 1, (6, 2, 2)) / 64).astype(np.float32)

    activity = grid(1.0)
    spread = grid(90.0)
    spread[generator.random(spread.shape) < 0.2] = np.nan
    uncertainty = Uncertainty(grid(0.5), grid(0.6), grid(0.3), spread, mc_samples=10, time_shifts=1)
    direction = np.zeros((6, 2, 2, 3), np.float32)
    rules = TrackingSpec(threshold=0.5, class_thresholds={"knock": 0.25})
    return Prediction(activity, direction, CLASSES, None, uncertainty if seed else None, rules)


def _doubt_case(seed: int) -> dict[str, object]:
    prediction = made_prediction(seed)
    measures = MEASURES if prediction.uncertainty else ("entropy", "margin", "switching")
    case: dict[str, object] = {
        "thresholds": [0.5, 0.25],
        "activity": prediction.activity.tolist(),
        "doubts": {measure: doubt(prediction, measure) for measure in measures},
    }
    if prediction.uncertainty:
        _, entropy, mutual_information, spread = prediction.uncertainty.arrays()
        case["entropy"] = entropy.tolist()
        case["mutual_information"] = mutual_information.tolist()
        case["direction_spread_deg"] = [
            [[None if np.isnan(value) else value for value in row] for row in frame] for frame in spread.tolist()
        ]
    return case


def _breaker_case() -> dict[str, object]:
    """Steps: at a time, ask, and tell what came of it if the request went out."""
    breaker, steps = CircuitBreaker(), []
    for now_s, outcome in [(0, "fail"), (1, "fail"), (2, "ok"), (3, "fail"), (4, "fail"), (5, "fail"), (6, "fail"),
                           (34.5, "ok"), (35, "fail"), (36, "ok"), (66, "ok"), (67, "fail")]:  # fmt: skip
        allowed = breaker.allows(now_s)
        if allowed and outcome == "ok":
            breaker.succeeded()
        elif allowed:
            breaker.failed(now_s)
        steps.append({"now_s": now_s, "outcome": outcome, "allowed": allowed})
    return {"failures_to_open": 3, "open_s": 30.0, "steps": steps}


def golden() -> dict[str, object]:
    """All vectors."""
    fits = [([0.1, 0.4, 0.2, 0.3], share) for share in (0.0, 0.25, 0.5, 0.74, 1.0)] + [([0.5, 0.5, 0.5], 0.4)]
    return {
        "doubt": [_doubt_case(seed) for seed in range(3)],
        "fit_threshold": [
            {"doubts": doubts, "share": share, "threshold": fit_threshold(doubts, share)} for doubts, share in fits
        ],
        "circuit_breaker": _breaker_case(),
        "longest_jitter_s": [min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**attempt) for attempt in range(8)],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(golden(), indent=1) + "\n")
