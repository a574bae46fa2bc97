"""`edgeseld data`: published data sets from their public records."""

from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from edgeseld.cli.terminal import plain_console
from edgeseld.core.spec import ChannelFormat
from edgeseld.data.download.records import RECORDS

SETS = "\n\n".join(
    f"\b\n{name}: {record.title}\n  parts {', '.join(record.parts)}; licence {record.licence}"
    for name, record in RECORDS.items()
)
HELP = f"""Download the published data set NAME to DIR: its labels, and its first part unless --part names others.

An interrupted download goes on where it was when the same command runs again. Archives are checked against the MD5 sums
of their record, unpacked, and removed.

{SETS}

\b
Examples:
edgeseld data starss23 data/starss23
edgeseld data starss23 data/starss23 --part mic --part video
"""


@click.command(name="data", help=HELP)
@click.argument("name", type=click.Choice(list(RECORDS)), metavar="NAME")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option("--part", "parts", multiple=True, help="Part to download; may be repeated.")
def command(name: str, folder: Path, parts: tuple[str, ...]) -> None:
    """Fetch, then say how many scenes there are."""
    record = RECORDS[name]
    unknown = [part for part in parts if part not in record.parts]
    if unknown:
        raise click.BadParameter(f"{name} has {', '.join(record.parts)}, got {unknown[0]!r}", param_hint="--part")
    from edgeseld.data.download.fetching import fetch_dataset

    click.echo(f"{record.title}; licence: {record.licence}", err=True)
    with _bar() as bar:
        fetch_dataset(name, folder, parts, _Reporter(bar).report)
    for part in parts or list(record.parts)[:1]:
        click.echo(f"{folder}: {_count(folder, part)}")


def _count(folder: Path, part: str) -> str:
    """What a part holds now; DataError where it does not fit the labels."""
    from edgeseld.data.dataset import open_dataset
    from edgeseld.data.videos import list_videos

    if part == "video":
        return f"{len(list_videos(folder))} videos"
    formats: dict[str, ChannelFormat] = {"foa": "foa", "mic": "mic", "stereo": "stereo", "audio": "stereo"}
    dataset = open_dataset(folder, formats[part])
    return f"{len(dataset.scenes)} scenes, {dataset.channel_format}"


def _bar() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=plain_console(stderr=True))


class _Reporter:
    """A line of the bar for each piece of work."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.tasks: dict[str, TaskID] = {}

    def report(self, work: str, done: int, total: int) -> None:
        """Show that `done` of `total` bytes are there."""
        if work not in self.tasks:
            self.tasks[work] = self.bar.add_task(work, total=total)
        self.bar.update(self.tasks[work], completed=done)
