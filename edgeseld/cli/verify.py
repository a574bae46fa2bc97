"""`edgeseld verify`."""

from pathlib import Path

import click

from edgeseld.cli.options import json_option


@click.command(name="verify", epilog="Example: edgeseld verify bundles/student-s-tflite-fp32.seld")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Also compare on scenes.")
@click.option("--model", help="The float model, an id or a folder with model.toml and weights.")
@click.option("--culprit", is_flag=True, help="Name the first layer of --model whose export drifts.")
@json_option
def command(bundle: Path, data: Path | None, model: str | None, culprit: bool, as_json: bool) -> None:
    """Run the proof of BUNDLE again: hashes, golden vectors, and the events in them. Exit code 1 where it fails.

    With --data both BUNDLE and --model hear its scenes and are scored. With --culprit, prefixes of --model are exported
    as BUNDLE was, and the interval in which a drift begins is halved until one layer is left.
    """
    from edgeseld.cli.terminal import print_table
    from edgeseld.cli.verification import show_culprit, show_on_scenes
    from edgeseld.core.locate import find_model
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.backends import open_backend
    from edgeseld.runtime.bundle import open_bundle
    from edgeseld.runtime.golden import read_golden
    from edgeseld.runtime.verification import require_parity, verify

    if (culprit or data is not None) and model is None:
        raise click.UsageError("--data and --culprit need --model, the float model to compare with")
    opened = open_bundle(bundle, allow_drift=True)
    if culprit:
        show_culprit(opened, find_model(model or ""), as_json=as_json)
        return
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
    if data is not None:
        show_on_scenes(opened, model or "", data, as_json=as_json)
    require_parity(report, opened.manifest.name)
