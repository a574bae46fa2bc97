"""README.md of a bundle: the model's card and what verification found."""

from pathlib import Path

from edgeseld.core.manifest import CARD_FILE, Manifest
from edgeseld.export.proof import Proof


def bundle_card(manifest: Manifest, proof: Proof, model: Path) -> str:
    """Markdown: what it is, how to run it, how exact it is, then the card of the model where there is one."""
    verdict = "passed" if proof.passed else "**FAILED**: " + "; ".join(proof.failures)
    rows = "".join(
        f"| {case.case} | {case.raw_max:.2e} | {case.changed_frames} of {case.active_frames} "
        f"| {case.direction_deg:.3f} |\n"
        for case in proof.cases
        if not case.case.startswith("scene, sample")
    )
    own = model / CARD_FILE
    return (
        f"# {manifest.name}\n\n{manifest.description}. Version {manifest.version}, licence {manifest.licence}.\n\n"
        f"Run it: `edgeseld infer {manifest.name}.seld AUDIO`. What the tensors mean stands in manifest.json.\n\n"
        f"## Verification against the float model\n{verdict}.\n\n"
        "| golden case | raw difference | changed frames | direction change, degrees |\n|---|---|---|---|\n"
        f"{rows}"
        + (
            f"\nLeft in float, because int8 hurts them most: {', '.join(proof.float_layers)}.\n"
            if proof.float_layers
            else ""
        )
        + (f"\n{own.read_text()}" if own.exists() else "")
    )
