"""`edgeseld evaluate`."""

from pathlib import Path

import click

from edgeseld.cli.options import BACKENDS, json_option, model_argument

RULES = ("dcase2021", "dcase2022", "dcase2023", "dcase2024", "dcase2025")


@click.command(name="evaluate", epilog="Example: edgeseld evaluate student-s heldout --rules dcase2023")
@model_argument
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.option("--rules", "rules_name", type=click.Choice(RULES), required=True, help="Year of the evaluator.")
@click.option("--backend", type=click.Choice(BACKENDS), help="Runtime of a model given by id.  [default: onnx]")
@click.option("--precision", default="fp32", help="Precision of a model given by id.")
@click.option("--threads", type=click.IntRange(1), default=1)
@json_option
def command(
    model: str, data: Path, rules_name: str, backend: str | None, precision: str, threads: int, as_json: bool
) -> None:
    """Hear every scene of DATA (STARSS23 layout) with MODEL and score what was heard."""
    from edgeseld.bench.accuracy import evaluate
    from edgeseld.cli.score_table import print_score
    from edgeseld.cli.terminal import progress
    from edgeseld.metrics.rules import RULES as YEARS
    from edgeseld.runtime.model import load

    loaded = load(model, threads=threads, backend=backend, precision=precision)
    result = evaluate(loaded, data, YEARS[rules_name], progress)
    print_score(result.score, class_names=loaded.interface.classes, as_json=as_json)
