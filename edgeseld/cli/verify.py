"""`edgeseld verify`."""

from pathlib import Path

import click

from edgeseld.cli.options import json_option


@click.command(name="verify", epilog="Example: edgeseld verify bundles/student-s-tflite-fp32.seld")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Also compare on scenes.")
@click.option(
    "--model", help="The float model, an id or a folder with model.toml and weights; default: the bundle's id."
)
@click.option("--culprit", is_flag=True, help="Name the first layer of --model whose export drifts.")
@json_option
def command(bundle: Path, data: Path | None, model: str | None, culprit: bool, as_json: bool) -> None:
    """Run the proof of BUNDLE again: hashes, golden vectors, and the events in them. Exit code 1 where it fails.

    With --data both BUNDLE and the float model hear its scenes and are scored. With --culprit, prefixes of the float
    model are exported as BUNDLE was, and the interval in which a drift begins is halved until one layer is left.
    """
    from edgeseld.core.locate import find_model
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.backends import open_backend
    from edgeseld.runtime.bundle import open_bundle
    from edgeseld.runtime.golden import read_golden
    from edgeseld.runtime.verification import require_parity, verify

    opened = open_bundle(bundle, allow_drift=True)
    float_model = model or opened.manifest.id
    if culprit:
        from edgeseld.cli.verification import show_culprit

        show_culprit(opened, find_model(float_model), as_json=as_json)
        return
    report = verify(opened.manifest, open_backend(opened), read_golden(opened.folder))
    scenes = None
    if data is not None:
        from edgeseld.cli.verification import hear_scenes

        scenes = hear_scenes(opened, float_model, data)
    if as_json:
        click.echo(to_json(report if scenes is None else {"golden": report, "scenes": scenes}).decode(), nl=False)
    else:
        from edgeseld.cli.verification_tables import print_golden, print_scenes

        print_golden(opened.manifest.name, report)
        if scenes is not None:
            print_scenes(opened.manifest.name, scenes)
    require_parity(report, opened.manifest.name)
