"""`edgeseld inspect`."""

from pathlib import Path

import click

from edgeseld.cli.options import json_option


@click.command(name="inspect", epilog="Example: edgeseld inspect bundles/student-s-tflite-fp32.seld")
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
def command(bundle: Path, as_json: bool) -> None:
    """Show what is inside BUNDLE, a folder or a zip: graphs, tensors, signal, provenance."""
    from edgeseld.cli.terminal import print_table
    from edgeseld.core.structs import to_json
    from edgeseld.runtime.bundle import open_bundle

    opened = open_bundle(bundle, allow_drift=True)
    manifest = opened.manifest
    if as_json:
        click.echo(to_json(manifest).decode(), nl=False)
        return
    facts = [
        ["model", f"{manifest.id} {manifest.version}, {manifest.description}"],
        ["target", f"{manifest.target}, {manifest.precision}, {'verified' if manifest.verified else 'NOT VERIFIED'}"],
        ["hears", f"{manifest.signal.channel_format}, {manifest.signal.sample_rate_hz} Hz, windows of "
         f"{manifest.signal.window_pcm_samples} samples after {manifest.context_samples} of context"],
        ["answers", f"{manifest.output_format}, {len(manifest.classes)} classes: {', '.join(manifest.classes)}"],
        ["licence", manifest.licence],
        ["made with", ", ".join(f"{name} {version}" for name, version in manifest.provenance.tools.items())],
    ]  # fmt: skip
    print_table(manifest.name, ["what", ""], facts)
    rows = [
        [role, graph.file, kind, tensor.name, "x".join(map(str, tensor.shape)), tensor.dtype]
        for role, graph in manifest.graphs.items()
        for kind, tensors in (("in", graph.inputs), ("out", graph.outputs))
        for tensor in tensors
    ]
    print_table("graphs", ["graph", "file", "", "tensor", "shape", "type"], rows)
