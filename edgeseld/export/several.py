"""Several exports of one model, each in a process of its own, two at a time.

Converters hold what they have loaded until their process ends, so memory stays that of two targets.
"""

import multiprocessing
import multiprocessing.context
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from edgeseld.core.errors import EdgeseldError, ExportError
from edgeseld.export.exporting import Exported, export_model
from edgeseld.export.recipe import ExportRecipe

PROCESSES = 2
# The longest conversion first, so that no core waits for it at the end.
FIRST = ("executorch", "tflite")


def export_several(
    model: Path, recipes: Sequence[ExportRecipe], output: Path, *, calibration: Path | None, allow_drift: bool
) -> tuple[list[Exported], list[str]]:
    """Bundles, and why others were not written: one target that fails does not keep the others back."""
    order = sorted(recipes, key=lambda recipe: FIRST.index(recipe.target) if recipe.target in FIRST else len(FIRST))
    with ProcessPoolExecutor(PROCESSES, _context(), initializer=_say_nothing_on_stdout, max_tasks_per_child=1) as pool:
        answers = {recipe: pool.submit(_export, model, recipe, output, calibration, allow_drift) for recipe in order}
        try:
            results = [answers[recipe].result() for recipe in recipes]
        except BrokenProcessPool as error:
            raise ExportError("an exporting process was ended, by lack of memory perhaps: name one target") from error
    exported = [result for result in results if isinstance(result, Exported)]
    return exported, [result for result in results if isinstance(result, str)]


def _context() -> multiprocessing.context.BaseContext:
    """Fresh processes that begin with torch loaded, where the system can fork them from one that has loaded it."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["edgeseld.export.exporting"])
    return context


def _say_nothing_on_stdout() -> None:
    """What vendors' libraries print goes to stderr, below Python too."""
    os.dup2(2, 1)


def _export(
    model: Path, recipe: ExportRecipe, output: Path, calibration: Path | None, allow_drift: bool
) -> Exported | str:
    """The bundle, or one line that says why there is none; some errors do not travel between processes."""
    try:
        return export_model(model, recipe, output, calibration=calibration, allow_drift=allow_drift)
    except EdgeseldError as error:
        return str(error)
