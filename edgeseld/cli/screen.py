"""`edgeseld screen`."""

from pathlib import Path

import click

from edgeseld.cli.options import model_argument


@click.command(name="screen", epilog="Example: edgeseld screen student-s my-clips clips-that-are-clear --least 0.3")
@model_argument
@click.argument("sounds", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--least", type=click.FloatRange(0, 1), default=0.3, help="Activity that the clip's own class must reach."
)
@click.option("--threads", type=click.IntRange(1), default=1)
def command(model: str, sounds: Path, output: Path, least: float, threads: int) -> None:
    """Copy to OUTPUT the clips of SOUNDS that MODEL hears as what they are called, for `edgeseld synth --sounds`.

    The best clip of every group stays. Use it for training material: held-out figures rest on all clips.
    """
    from edgeseld.cli.terminal import progress
    from edgeseld.data.synth.screening import screen_clips
    from edgeseld.runtime.model import load

    loaded = load(model, threads=threads)
    channel_format = loaded.interface.signal.channel_format
    kept, clips = screen_clips(sounds, loaded, channel_format, output, least, progress)
    click.echo(f"{kept} of {clips} clips kept in {output}")
