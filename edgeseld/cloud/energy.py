"""An estimate of what asking costs a phone's battery; it ranks strategies, it is no measurement.

LTE by Huang et al., "A Close Examination of Performance and Power Characteristics of 4G LTE Networks" (MobiSys 2012,
table 4): 1288 mW while the radio sends plus 438 mW per Mbit/s up, then a tail of 11.6 s at 1060 mW, which calls that
follow each other share.
"""

import numpy as np
from numpy.typing import NDArray

RADIO_W = 1.288
UP_W_PER_MBPS = 0.438
TAIL_S = 11.6
TAIL_W = 1.06
# One busy core of a phone: a round figure of our own choice.
CORE_W = 1.0


def joules(
    device_s: NDArray[np.float64],
    cloud_s: NDArray[np.float64],
    bytes_sent: NDArray[np.float64],
    sent: NDArray[np.bool_],
    window_s: float,
) -> float:
    """Energy of all windows (windows,): computing each, sending those that are `sent`, and the tails behind them."""
    computing = CORE_W * float(device_s.sum())
    asked = sent & np.isfinite(cloud_s)
    # Watts per Mbit/s over the time of a transfer are joules per Mbit.
    sending = RADIO_W * float(cloud_s[asked].sum()) + UP_W_PER_MBPS * 8e-6 * float(bytes_sent[asked].sum())
    gaps_s = np.diff(np.append(np.flatnonzero(sent), len(sent) + TAIL_S)) * window_s
    tails = TAIL_W * float(np.minimum(gaps_s, TAIL_S).sum())
    return computing + sending + tails
