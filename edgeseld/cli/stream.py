"""`edgeseld stream`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseld.cli.options import BACKENDS, FOA_ORDERS, json_option, model_argument
from edgeseld.cli.stopping import terminated_as_interrupted

if TYPE_CHECKING:
    from edgeseld.core.events import StreamEnd
    from edgeseld.core.prediction import Float32
    from edgeseld.runtime.model import Model
    from edgeseld.runtime.streaming.microphone import Microphone
    from edgeseld.runtime.streaming.stream import Stream

    Source = tuple[Iterable[Float32], Microphone | None]


@click.command(name="stream", epilog="Example: edgeseld stream student-xs examples/sample_scene.wav --json")
@model_argument
@click.argument("audio", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--device", help="Input device, a number or a part of its name, instead of AUDIO.")
@click.option("--real-time", is_flag=True, help="Let AUDIO come as slowly as from a microphone.")
@click.option("--hop-frames", type=click.IntRange(1), help="Label frames from window to window.  [default: 5]")
@click.option("--lookahead-frames", type=click.IntRange(0), default=0, help="Label frames that a window hears ahead.")
@click.option("--mc-samples", type=click.IntRange(0), default=0, help="Monte Carlo dropout samples.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the dropout masks.")
@click.option("--backend", type=click.Choice(BACKENDS), help="Runtime of a model given by id.  [default: onnx]")
@click.option("--precision", default="fp32", help="Precision of a model given by id.")
@click.option("--threads", type=click.IntRange(1), default=1)
@click.option("--foa-order", type=click.Choice(FOA_ORDERS), default=FOA_ORDERS[0], help="Channel order of FOA sound.")
@json_option
@terminated_as_interrupted()
def command(
    model: str,
    audio: Path | None,
    device: str | None,
    real_time: bool,
    hop_frames: int | None,
    lookahead_frames: int,
    mc_samples: int,
    seed: int,
    backend: str | None,
    precision: str,
    threads: int,
    foa_order: str,
    as_json: bool,
) -> None:
    """Hear AUDIO, or a microphone until Ctrl-C, frame by frame with MODEL, and show events as they come and go.

    A causal model goes from frame to frame; any other slides its window on, and options say how far. --json prints one
    object per line.
    """
    if (audio is None) == (device is None):
        raise click.UsageError("name either AUDIO or --device")
    from edgeseld.cli.live_view import open_view
    from edgeseld.runtime.model import load

    loaded = load(model, threads=threads, backend=backend, precision=precision)
    stream = loaded.stream(hop_frames=hop_frames, lookahead_frames=lookahead_frames, mc_samples=mc_samples, seed=seed)
    with (
        _source(loaded, audio, device, foa_order, real_time) as (blocks, microphone),
        open_view(as_json=as_json) as view,
    ):
        try:
            for block in blocks:
                view.show(stream.feed(block), _state(loaded, stream, microphone))
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
        finally:
            update = stream.finish()
            end = _state(loaded, stream, microphone)
            view.show(update, end)
            view.close(end)


@contextmanager
def _source(
    model: "Model", audio: Path | None, device: str | None, foa_order: str, real_time: bool
) -> Iterator["Source"]:
    """Blocks of a file or of a microphone."""
    from edgeseld.runtime.streaming.microphone import Microphone
    from edgeseld.runtime.streaming.sources import file_blocks, in_format, in_real_time

    signal = model.interface.signal
    if audio is not None:
        blocks = file_blocks(audio, signal.channel_format, foa_order)  # type: ignore[arg-type]
        yield in_real_time(blocks) if real_time else blocks, None
        return
    assert device is not None
    with Microphone(signal.channels, int(device) if device.isdigit() else device) as microphone:
        blocks = microphone.blocks()
        yield (in_format(block, signal.channel_format, foa_order) for block in blocks), microphone  # type: ignore[arg-type]


def _state(model: "Model", stream: "Stream", microphone: "Microphone | None") -> "StreamEnd":
    """How much was heard so far and what was lost."""
    from edgeseld.core.events import StreamEnd

    return StreamEnd(
        model=model.interface.id,
        duration_s=stream.samples / model.interface.signal.sample_rate_hz,
        invalid_samples=stream.invalid_samples,
        dropped_blocks=0 if microphone is None else microphone.dropped_blocks,
        lost_s=0.0 if microphone is None else microphone.lost_s,
        drift_ppm=None if microphone is None else microphone.drift_ppm,
    )
