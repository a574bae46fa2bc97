"""Arguments and choices that several verbs share."""

from pathlib import Path

import click

BACKENDS = ("onnx", "tflite", "executorch", "coreml", "torch")
FOA_ORDERS = ("acn-sn3d", "acn-n3d", "fuma")

model_argument = click.argument("model")
audio_argument = click.argument("audio", type=click.Path(path_type=Path, dir_okay=False))
exit_option = click.option(
    "--exit", "exit_name", metavar="EXIT", help="Early exit to end at, such as stage-2; MODEL is then a folder."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
