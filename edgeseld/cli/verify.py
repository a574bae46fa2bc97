"""`edgeseld verify`."""

from pathlib import Path

import click

from edgeseld.cli.options import json_option


@click.command(name="verify", epilog="Example: edgeseld verify bundles/student-s-tflite-fp32.seld")
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
def command(bundle: Path, as_json: bool) -> None:
    """Run the proof of BUNDLE again: hashes, golden vectors, and the events in them. Exit code 1 where it fails."""
    from edgeseld.cli.terminal import print_table
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.backends import open_backend
    from edgeseld.runtime.bundle import open_bundle
    from edgeseld.runtime.golden import read_golden
    from edgeseld.runtime.verification import require_parity, verify

    opened = open_bundle(bundle, allow_drift=True)
    report = verify(opened.manifest, open_backend(opened), read_golden(opened.folder))
    if as_json:
        click.echo(to_json(report).decode(), nl=False)
    else:
        rows = [
            [
                case.case,
                f"{case.raw_max:.1e}",
                f"{case.changed_frames} of {case.active_frames}",
                f"{case.direction_deg:.3f}°",
            ]
            for case in report.cases
        ]
        title = f"{opened.manifest.name}: {'the same as' if report.passed else 'NOT the same as'} the float model"
        print_table(title, ["golden case", "raw difference", "changed frames", "direction"], rows)
    require_parity(report, opened.manifest.name)
