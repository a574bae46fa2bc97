"""The command line: one file per verb, loaded only when that verb is called."""

import importlib
import sys
from typing import Any

import click

from edgeseld import __version__
from edgeseld.core.disk import FULL_ERRNOS
from edgeseld.core.errors import EdgeseldError

VERBS = {
    "bench": "time bundles side by side",
    "data": "download published data sets",
    "distill": "train a student under a teacher",
    "doctor": "what is installed, and what to install for the rest",
    "evaluate": "hear a data set and score what was heard",
    "export": "verified bundles for phones and edge devices",
    "fallback": "what asking a larger model on a server buys and costs",
    "features": "reference features of an audio file",
    "infer": "sounds and directions in an audio file",
    "inspect": "what is inside a bundle",
    "models": "what is there, and what it costs",
    "score": "score DCASE prediction files against references",
    "screen": "keep the clips that a first model recognises",
    "stream": "sounds and directions live, from a file or a microphone",
    "serve": "audio to events over HTTP",
    "synth": "make labelled scenes",
    "train": "train a model on labelled scenes",
    "verify": "run a bundle's proof again",
}


class Verbs(click.Group):
    """Verbs by name; `--help` lists them without importing any."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Names of all verbs."""
        return sorted(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the verb's file."""
        if name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"edgeseld.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Verb and purpose, a line each."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(VERBS.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="edgeseld")
def edgeseld() -> None:
    """Sound event localization and detection on phones and edge devices.

    PCM in, events out, the same on every target. Each command has --help with an example.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    run_command(edgeseld, arguments)


def run_command(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 good, 1 the job failed (one line says why), 2 wrong usage."""
    try:
        result: Any = command.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(1)
    except EdgeseldError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        next_step = "; free some and try again" if error.errno in FULL_ERRNOS else ""
        click.echo(f"error: {error.strerror or error}{place}{next_step}", err=True)
        sys.exit(1)
    sys.exit(result if isinstance(result, int) else 0)
