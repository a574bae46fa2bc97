"""`edgeseld synth`: labelled scenes from clips and rooms."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click
from click.core import ParameterSource

from edgeseld.cli.terminal import print_table, progress
from edgeseld.core.cache import cache_root
from edgeseld.core.errors import DataError
from edgeseld.core.spec import ChannelFormat
from edgeseld.core.structs import to_json
from edgeseld.data.layout import AudioKind, dataset_classes
from edgeseld.data.synth.dataset import Request, make_dataset
from edgeseld.data.synth.definition import SimulatedRooms, Split, read_definition
from edgeseld.data.synth.summary import Summary

FOLDER = click.Path(path_type=Path, file_okay=False)
SPLITS = ("train", "validation", "heldout")
# A set of the held-out definition fixes these.
FIXED_BY_SET = ("hours", "seed", "split", "measured_share", "scene_s")
ROOMS_PER_HOUR, FEWEST_ROOMS, MOST_ROOMS = 4, 4, 120


@click.command(name="synth")
@click.argument("out", type=FOLDER)
@click.option("--sounds", default="builtin", help="`builtin`, or a folder of mono clips with manifest.csv.")
@click.option(
    "--rooms", multiple=True, default=("simulated",), help="`simulated`, a folder with index.csv, or both in turn."
)
@click.option("--hours", type=click.FloatRange(0, min_open=True), default=1.0, help="Length of the data set.")
@click.option("--channel-format", type=click.Choice(get_args(ChannelFormat)), default="foa")
@click.option("--seed", type=click.IntRange(0), default=0, help="The same seed and inputs give the same files.")
@click.option("--split", type=click.Choice(SPLITS), help="Part of the clips, after --heldout.  [default: all clips]")
@click.option(
    "--heldout", type=click.Path(path_type=Path, dir_okay=False), help="heldout.toml: what no training may hear."
)
@click.option("--set", "set_name", help="A set that heldout.toml defines; needs no --hours, --seed or --split.")
@click.option(
    "--measured-share", type=click.FloatRange(0, 1), default=0.25, help="Scenes in measured rooms, given both kinds."
)
@click.option("--scene-s", type=click.IntRange(5, 600), default=60, help="Seconds of each scene.")
@click.option(
    "--format", "audio", type=click.Choice(get_args(AudioKind)), default="flac", help="Audio files; npy is int16."
)
@click.option("--workers", type=click.IntRange(1), default=1, help="Processes; the files do not depend on it.")
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object on stdout.")
@click.pass_context
def command(context: click.Context, /, out: Path, workers: int, as_json: bool, **options: Any) -> None:
    """Make scenes with labels in the STARSS23 layout in OUT; run it again to finish an interrupted set.

    \b
    Examples:
    edgeseld synth scenes --hours 0.1
    edgeseld synth scenes --sounds my-clips --rooms simulated --rooms my-rooms --hours 5
    edgeseld synth heldout --heldout benchmarks/heldout.toml --set simulated --sounds ../shared/sounds
    """
    _check_usage(context, options)
    request = _from_set(options) if options["set_name"] else _from_options(options)
    summary = make_dataset(out, request, cache_root(), workers, progress)
    (_print_json if as_json else _print_summary)(out, options["channel_format"], summary)
    if options["set_name"]:
        _check_labels(options, summary)


def _check_usage(context: click.Context, options: dict[str, Any]) -> None:
    given = {name for name in options if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    if (options["set_name"] or options["split"]) and not options["heldout"]:
        raise click.UsageError("--set and --split follow a held-out definition: give --heldout FILE")
    if options["heldout"] and not (options["set_name"] or options["split"]):
        raise click.UsageError("--heldout needs --set NAME or --split: say which part to make")
    if options["heldout"] and options["sounds"] == "builtin":
        raise click.UsageError("--heldout splits recordings: give their folder with --sounds")
    clash = sorted(given & set(FIXED_BY_SET)) if options["set_name"] else []
    if clash:
        raise click.UsageError(
            f"the set fixes --{clash[0].replace('_', '-')}: leave it out, or use --split instead of --set"
        )


def _sounds(options: dict[str, Any]) -> Path | None:
    return None if options["sounds"] == "builtin" else Path(options["sounds"])


def _measured(options: dict[str, Any]) -> Path | None:
    folders = [Path(name) for name in options["rooms"] if name != "simulated"]
    if len(folders) > 1:
        raise click.UsageError("--rooms takes one folder of measured responses: put them together under one index.csv")
    return folders[0] if folders else None


def _from_set(options: dict[str, Any]) -> Request:
    """A set exactly as the definition fixes it."""
    definition = read_definition(options["heldout"])
    chosen = definition.set_named(options["set_name"])
    measured = _measured(options) if chosen.measured_share else None
    if chosen.measured_share and measured is None:
        raise click.UsageError(
            f"the set {options['set_name']!r} lies in measured rooms: give their folder with --rooms"
        )
    return Request(
        scenes=chosen.scenes,
        sounds=_sounds(options),
        simulated=chosen.rooms,
        measured=measured,
        measured_share=chosen.measured_share,
        split=chosen.split,
        definition=definition,
        channel_format=options["channel_format"],
        seed=chosen.seed,
        scene_s=chosen.scene_s,
        audio=options["audio"],
        rotate=chosen.rotate,
        moving_share=chosen.moving_share,
    )


def _from_options(options: dict[str, Any]) -> Request:
    """As many hours as wanted."""
    definition = read_definition(options["heldout"]) if options["heldout"] else None
    split: Split = options["split"] or "all"
    count = min(MOST_ROOMS, max(FEWEST_ROOMS, round(ROOMS_PER_HOUR * options["hours"])))
    return Request(
        scenes=max(1, round(options["hours"] * 3600 / options["scene_s"])),
        sounds=_sounds(options),
        simulated=SimulatedRooms(count=count) if "simulated" in options["rooms"] else None,
        measured=_measured(options),
        measured_share=options["measured_share"],
        split=split,
        definition=definition,
        channel_format=options["channel_format"],
        seed=options["seed"],
        scene_s=options["scene_s"],
        audio=options["audio"],
    )


def _check_labels(options: dict[str, Any], summary: Summary) -> None:
    """Say so where the set is not the one that figures rest on; its files stay."""
    expected = read_definition(options["heldout"]).set_named(options["set_name"]).labels_sha256
    if expected and options["channel_format"] == "foa" and summary.labels_sha256 != expected:
        raise DataError(
            f"the labels of the set {options['set_name']!r} must have the hash {expected[:12]}, these have "
            f"{summary.labels_sha256[:12]}: the scenes are complete, but made from other clips or rooms than the "
            "figures of this definition; use its own clips and rooms to compare with them"
        )


def _print_summary(out: Path, channel_format: str, summary: Summary) -> None:
    rows = [
        [name, str(events), f"{seconds / 60:.1f}"]
        for name, events, seconds in zip(dataset_classes(out), summary.events, summary.seconds, strict=True)
    ]
    print_table(
        f"{summary.scenes} scenes, {summary.hours:.2f} h, {channel_format}", ["class", "events", "minutes"], rows
    )
    shares = ", ".join(f"{order}: {100 * share:.0f} %" for order, share in enumerate(summary.polyphony))
    click.echo(f"sources at a time: {shares}; {summary.mean_overlap:.2f} where there are any")


def _print_json(out: Path, channel_format: str, summary: Summary) -> None:
    """The same figures for machines; counts and seconds are keyed by class."""
    classes = dataset_classes(out)
    counts = {
        "events": dict(zip(classes, summary.events, strict=True)),
        "seconds": dict(zip(classes, summary.seconds, strict=True)),
    }
    click.echo(to_json({"folder": str(out), "channel_format": channel_format, **asdict(summary), **counts}), nl=False)
