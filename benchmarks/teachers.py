"""What teachers say together, on the held-out sets: `python -m benchmarks.teachers STUDENT --teacher MODEL ...`.

The teachers are averaged as `edgeseld distill` does it, tracks aligned, each hearing the field in --turns symmetries of
its channels. With --data a trained ensemble of them stands beside the mean (distill.ensemble = "trained"), which learns
from those scenes. The student is a released model or a run; --control is the run of the same student, trained as
long without a teacher. Thresholds are fitted on the validation scenes, as those of a released model are. Differences
are paired over files: to the control where there is one, else to the student.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import numpy as np
import torch

from benchmarks.heldout import FOLDER, listen, report_of, show, with_all
from benchmarks.release import fitted_calibration
from edgeseld.cli import run_command
from edgeseld.cli.terminal import progress
from edgeseld.core.atomic import write_atomic
from edgeseld.core.errors import TrainingError
from edgeseld.core.locate import MODEL_FILE, find_model
from edgeseld.core.manifest import Interface, Role
from edgeseld.core.prediction import Float32
from edgeseld.core.structs import to_json
from edgeseld.export.calibration import uncalibrated
from edgeseld.export.torch_backend import open_torch
from edgeseld.runtime.calibrate import calibrated
from edgeseld.runtime.model import Model, load
from edgeseld.train.ensemble import STEPS, TrackEnsemble, train_ensemble
from edgeseld.train.feature_store import open_store
from edgeseld.train.taught_windows import Combine, TaughtWindows
from edgeseld.train.teacher_store import open_taught, same_scenes
from edgeseld.train.teachers import Teacher, averaged, load_teacher


class TeacherBackend:
    """Teachers in the place of one network: PCM of a window in, the multi-ACCDOA vectors they say together out."""

    def __init__(self, teachers: Sequence[Teacher], combine: Combine) -> None:
        self.teachers, self.combine = teachers, combine

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of the graph `full`, the only one."""
        pcm = torch.from_numpy(np.ascontiguousarray(inputs[0]))
        with torch.no_grad():
            heard = [teacher.outputs(_features(teacher, pcm)) for teacher in self.teachers]
            return [self.combine(heard)["accdoa"].numpy()]


def _features(teacher: Teacher, pcm: torch.Tensor) -> torch.Tensor:
    """Frontends look back by different spans; windows end together."""
    signal = teacher.spec.signal
    return teacher.network.frontend.features(pcm[..., -(signal.context_samples + signal.window_pcm_samples) :])


def ensemble(folders: Sequence[Path], turns: int, combine: Combine = averaged) -> Model:
    """Teachers as one model without calibration; TrainingError where their windows or outputs differ."""
    teachers = [load_teacher(folder, turns) for folder in folders]
    kinds = {(t.spec.signal.channel_format, t.spec.signal.window_frames, t.spec.head.format) for t in teachers}
    if len(kinds) > 1 or teachers[0].spec.head.format != "multi-accdoa":
        raise TrainingError(f"teachers here share channels, windows and the format multi-accdoa, got {sorted(kinds)}")
    longest = max(range(len(teachers)), key=lambda n: teachers[n].spec.signal.context_samples)
    interface, _ = open_torch(folders[longest], threads=1)
    full = interface.graphs["full"]
    outputs = tuple(tensor for tensor in full.outputs if tensor.name == "accdoa")
    graphs = {"full": msgspec.structs.replace(full, outputs=outputs)}
    shared: Interface = msgspec.structs.replace(interface, graphs=graphs, calibration=None, monte_carlo=None)
    return Model(shared, TeacherBackend(teachers, combine))


def trained_ensemble(folders: Sequence[Path], turns: int, data: Path) -> TrackEnsemble:
    """The network that learns from a data set how to weigh the teachers, as before a distillation."""
    teachers = [load_teacher(folder, turns) for folder in folders]
    first = teachers[0].spec
    store = open_store(data, first.signal, progress)
    windows = TaughtWindows([store], len(first.classes), batch_size=first.train.batch_size, steps=STEPS, seed=0)
    for teacher in teachers:
        heard = same_scenes(store, open_store(data, teacher.spec.signal, progress))
        windows.taught = [*windows.taught, [open_taught(teacher, heard, progress)]]
    return train_ensemble(windows.lesson, first.signal.channel_format, 0, progress)


def trained_run(folder: Path, validation: Path) -> Model:
    """A run, which has no calibration of its own, with one."""
    return with_thresholds(uncalibrated(load(folder, backend="torch")), validation)


def with_thresholds(model: Model, validation: Path) -> Model:
    """The model with a calibration and thresholds fitted on the validation scenes, as a release fits them."""
    return Model(calibrated(model.interface, fitted_calibration(model, validation, mc_samples=0)), model.backend)


@click.command(help=__doc__)
@click.argument("student", metavar="MODEL|RUN")
@click.option("--teacher", "teachers", multiple=True, required=True, metavar="MODEL", help="May be repeated.")
@click.option("--turns", default=1, show_default=True, help="Symmetries in which each teacher hears the field.")
@click.option("--control", type=FOLDER, help="Run of the student without a teacher.")
@click.option("--data", type=FOLDER, help="Scenes from which a trained ensemble learns.")
@click.option("--validation", type=FOLDER, required=True)
@click.option("--simulated", type=FOLDER, required=True)
@click.option("--measured", type=FOLDER, required=True)
@click.option(
    "--more", type=FOLDER, multiple=True, help="More held-out scenes, for narrower intervals; named by folder."
)
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as JSON.")
def main(
    student: str,
    teachers: tuple[str, ...],
    turns: int,
    control: Path | None,
    data: Path | None,
    validation: Path,
    simulated: Path,
    measured: Path,
    more: tuple[Path, ...],
    save: Path | None,
) -> None:
    folders = [find_model(name) for name in teachers]
    together = " + ".join(folder.name for folder in folders) + (f", {turns} turns" if turns > 1 else "")
    kinds: dict[str, Combine] = {together: averaged}
    if data is not None:
        kinds[f"{together}, trained"] = trained_ensemble(folders, turns, data)
    models = {}
    if control is not None:
        models["control"] = trained_run(control, validation)
    run = Path(student)
    models[run.name] = trained_run(run, validation) if (run / MODEL_FILE).exists() else load(student)
    for name, combine in kinds.items():
        models[name] = with_thresholds(ensemble(folders, turns, combine), validation)
    sets = {"simulated": simulated, "measured": measured, **{root.name: root for root in more}}
    report = report_of(with_all(listen(models, sets)))
    show(report)
    if save is not None:
        write_atomic(save, to_json(report))


if __name__ == "__main__":
    run_command(main)
