"""`edgeseld infer`."""

from pathlib import Path

import click

from edgeseld.cli.options import BACKENDS, FOA_ORDERS, audio_argument, model_argument


@click.command(name="infer", epilog="Example: edgeseld infer student-xs examples/sample_scene.wav --plot scene.png")
@model_argument
@audio_argument
@click.option("--backend", type=click.Choice(BACKENDS), help="Runtime of a model given by id.  [default: onnx]")
@click.option("--precision", default="fp32", help="Precision of a model given by id.")
@click.option("--mc-samples", type=click.IntRange(0), default=0, help="Monte Carlo dropout samples.")
@click.option("--time-shifts", type=click.IntRange(1), default=1, help="Shifts by 30 ms that are averaged; odd.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the dropout masks.")
@click.option("--threads", type=click.IntRange(1), default=1)
@click.option("--foa-order", type=click.Choice(FOA_ORDERS), default=FOA_ORDERS[0], help="Channel order of FOA files.")
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), help="Write frames in the DCASE form.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Picture (png, svg) or page (html).")
@click.option("--json", "as_json", is_flag=True, help="Events as one JSON object on stdout.")
@click.option("--allow-drift", is_flag=True, help="Also run a bundle that failed its verification.")
def command(
    model: str,
    audio: Path,
    backend: str | None,
    precision: str,
    mc_samples: int,
    time_shifts: int,
    seed: int,
    threads: int,
    foa_order: str,
    csv: Path | None,
    plot: Path | None,
    as_json: bool,
    allow_drift: bool,
) -> None:
    """Hear AUDIO (wav, flac, ogg; any rate) with MODEL: an id, a training run, a bundle or its zip.

    Prints the events: which sound, when, from where (azimuth counter-clockwise, 90 = left), how sure.
    """
    from edgeseld.cli.results import draw, print_events, write_csv, write_json
    from edgeseld.runtime.model import load
    from edgeseld.signal.audio import read_audio

    loaded = load(model, threads=threads, backend=backend, precision=precision, allow_drift=allow_drift)
    signal = read_audio(audio, loaded.interface.signal.channel_format, foa_order)  # type: ignore[arg-type]
    prediction = loaded.predict(signal, mc_samples=mc_samples, time_shifts=time_shifts, seed=seed)
    duration_s = signal.shape[1] / loaded.interface.signal.sample_rate_hz
    if csv is not None:
        write_csv(prediction, csv)
    if plot is not None:
        draw(prediction, plot, f"{loaded.interface.id}: {audio.name}")
    if as_json:
        write_json(prediction, loaded.interface.id, duration_s)
    else:
        print_events(prediction, loaded.interface.id, duration_s)
