"""How a client waits: retries with jitter, and a circuit breaker that stops asking a server that is gone."""

import random
from dataclasses import dataclass, field

# Both numbers grow from request to request: short enough for a person, long enough for a server that restarts.
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 5.0


def retry_wait_s(attempt: int, draw: random.Random, retry_after_s: float | None = None) -> float:
    """Wait before attempt `attempt` (1 is the first retry): full jitter, or what the server asked for and a little.

    Uniform in [0, min(5, 0.1 x 2^(attempt - 1))] seconds (Brooker, "Exponential Backoff And Jitter", 2015).
    """
    jitter_s = draw.uniform(0.0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)))
    return jitter_s if retry_after_s is None else retry_after_s + jitter_s


@dataclass(slots=True)
class CircuitBreaker:
    """Closed: ask. Open after `failures_to_open` failures in a row: do not, for `open_s`. Then one attempt decides."""

    failures_to_open: int = 3
    open_s: float = 30.0
    failures: int = 0
    opened_at_s: float | None = None
    probing: bool = field(default=False)

    def allows(self, now_s: float) -> bool:
        """Whether a request may go out; the first after the pause is a probe, and no other goes beside it."""
        if self.opened_at_s is None:
            return True
        if self.probing or now_s - self.opened_at_s < self.open_s:
            return False
        self.probing = True
        return True

    def succeeded(self) -> None:
        """An answer came."""
        self.failures, self.opened_at_s, self.probing = 0, None, False

    def failed(self, now_s: float) -> None:
        """None came."""
        self.failures += 1
        if self.probing or self.failures >= self.failures_to_open:
            self.opened_at_s = now_s
        self.probing = False
