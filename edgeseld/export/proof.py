"""verification.json: what an export wrote, or a calibration wrote again."""

import msgspec

from edgeseld.runtime.verification import VerificationReport


class Proof(VerificationReport, frozen=True, kw_only=True):
    """A verification, and the layers that int8 left in float because it hurts them most."""

    float_layers: tuple[str, ...] = ()


def proof_of(report: VerificationReport, float_layers: tuple[str, ...]) -> Proof:
    """A verification with the layers that are in float."""
    return Proof(**msgspec.structs.asdict(report), float_layers=float_layers)
