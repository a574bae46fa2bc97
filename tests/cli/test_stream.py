"""edgeseld stream: what it prints for people and machines, and how it ends."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
import numpy as np
import pytest
import soundfile
from rich.console import Console

import edgeseld.runtime.model
from edgeseld.cli import live_view, main
from edgeseld.core.events import StreamClosed, StreamEnd, StreamFrame, StreamLine, StreamOpened
from edgeseld.core.spec import TrackingSpec
from edgeseld.runtime.model import Model
from edgeseld.runtime.streaming import sources
from edgeseld.runtime.streaming.sources import file_blocks
from tests.conftest import ROOT
from tests.runtime.fake_sounddevice import FakeInputStream, FakeSoundDevice
from tests.runtime.parts import causal_model, made_up_model, noise

Run = Callable[..., tuple[int, str, str]]
LOUD = TrackingSpec(threshold=0.2)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    made_up = causal_model(tracking=LOUD)
    monkeypatch.setattr(edgeseld.runtime.model, "load", lambda *_, **__: made_up)
    return made_up


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "scene.wav", np.clip(noise(52_000), -1, 1).T, 24_000, subtype="PCM_16")
    return tmp_path / "scene.wav"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["stream", *map(str, arguments)])
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return call


def lines(output: str) -> list[StreamLine]:
    return [msgspec.json.decode(line, type=StreamLine) for line in output.splitlines()]


@pytest.mark.usefixtures("model")
def test_a_line_for_every_frame_and_for_events_that_come_and_go(run: Run, model: Model, scene: Path) -> None:
    code, output, errors = run("made-up", scene, "--json", "--mc-samples", 3)
    assert (code, errors) == (0, "")
    said = lines(output)
    frames = [line for line in said if isinstance(line, StreamFrame)]
    assert [frame.time_s for frame in frames] == pytest.approx(np.arange(22) / 10)
    assert any(frame.detections for frame in frames)
    assert all(d.time_s == frame.time_s and d.uncertainty for frame in frames for d in frame.detections)
    opened = [line.event for line in said if isinstance(line, StreamOpened)]
    closed = [line.event for line in said if isinstance(line, StreamClosed)]
    assert len(opened) == len(closed) > 0
    audio = np.concatenate(list(file_blocks(scene, "foa")), axis=1)
    offline = model.predict(audio, mc_samples=3).events()
    assert sorted((e.class_name, e.onset_s, e.offset_s) for e in closed) == sorted(
        (e.class_name, e.onset_s, e.offset_s) for e in offline
    )
    assert isinstance(said[-1], StreamEnd)
    assert said[-1].duration_s == pytest.approx(52_000 / 24_000)
    assert (said[-1].model, said[-1].dropped_blocks, said[-1].drift_ppm) == ("made-up", 0, None)


@pytest.mark.usefixtures("model")
def test_a_pipe_gets_a_line_per_event_and_a_summary(run: Run, scene: Path) -> None:
    code, output, errors = run("made-up", scene)
    assert code == 0
    assert errors == "made-up: 2.2 s heard\n"
    assert all(" score " in line for line in output.splitlines())
    assert "bell" in output or "knock" in output


@pytest.mark.usefixtures("model")
def test_a_terminal_gets_a_table_that_stays(
    run: Run, scene: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "screen").open("w") as screen:
        console = Console(file=screen, force_terminal=True, width=100, height=30)
        monkeypatch.setattr(live_view, "open_view", lambda **_: live_view.LiveTable(console))
        assert run("made-up", scene)[0] == 0
    shown = (tmp_path / "screen").read_text()
    for text in ("azimuth", "confidence", "█", "made-up: 2.2 s heard", " score "):
        assert text in shown


def test_windows_slide_as_asked(run: Run, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = made_up_model(tracking=LOUD)
    monkeypatch.setattr(edgeseld.runtime.model, "load", lambda *_, **__: model)
    code, output, _ = run("made-up", scene, "--json", "--hop-frames", 2, "--lookahead-frames", 1)
    assert code == 0
    assert len([line for line in lines(output) if isinstance(line, StreamFrame)]) == 22
    code, _, errors = run("made-up", scene, "--hop-frames", 9)
    assert code == 1
    assert "must fit into the window of 6 frames" in errors


def plug_in(monkeypatch: pytest.MonkeyPatch, at_start: Callable[[FakeInputStream], None]) -> None:
    """A device that does something when it is started."""
    monkeypatch.setattr(FakeInputStream, "start", at_start)
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice())  # type: ignore[arg-type]


@pytest.mark.usefixtures("model")
def test_an_unplugged_microphone_fails_after_its_events(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def sound_then_nothing(stream: FakeInputStream) -> None:
        stream.give(np.repeat(noise(24_000), 2, axis=1))
        stream.finished_callback()

    plug_in(monkeypatch, sound_then_nothing)
    code, output, errors = run("made-up", "--device", "3", "--json")
    assert code == 1
    assert "error: the input device 3 stopped giving sound" in errors
    said = lines(output)
    assert isinstance(said[-1], StreamEnd)
    assert said[-1].duration_s == pytest.approx(1.0, abs=0.01)
    assert any(isinstance(line, StreamClosed) for line in said)


@pytest.mark.usefixtures("model")
def test_a_service_that_is_stopped_closes_its_events(run: Run, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminated(audio: Path, *rest: object) -> Iterator[np.ndarray]:
        yield from file_blocks(audio, *rest)
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("went on")

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sources, "file_blocks", terminated)
    code, output, errors = run("made-up", scene, "--json")
    assert (code, errors) == (0, "stopped\n")
    said = lines(output)
    assert isinstance(said[-1], StreamEnd)
    assert sum(isinstance(line, StreamOpened) for line in said) == sum(isinstance(line, StreamClosed) for line in said)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.usefixtures("model")
def test_ctrl_c_is_how_a_microphone_is_left(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, lambda stream: stream.give(np.repeat(noise(24_000), 2, axis=1)))
    monkeypatch.setattr(live_view.PlainLines, "show", lambda *_: None)
    shown = []

    def stop_at_first(view: object, update: object, end: StreamEnd) -> None:
        shown.append(end)
        if len(shown) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(live_view.PlainLines, "show", stop_at_first)
    code, _, errors = run("made-up", "--device", "Zylia")
    assert code == 0
    assert errors.startswith("stopped\nmade-up: ")
    assert len(shown) == 2


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("arguments", [[], ["a.wav", "--device", "0"]])
def test_either_a_file_or_a_device(run: Run, arguments: list[str]) -> None:
    code, _, errors = run("made-up", *arguments)
    assert code == 2
    assert "name either AUDIO or --device" in errors


@pytest.mark.usefixtures("model")
def test_a_missing_file_and_a_missing_library(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, errors = run("made-up", "nowhere.wav")
    assert code == 1
    assert "error: nowhere.wav: there is no such file" in errors
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, _, errors = run("made-up", "--device", "0")
    assert code == 1
    assert "pip install 'edgeseld[stream]'" in errors


@pytest.mark.parametrize(
    ("azimuth_deg", "expected"),
    [(0, "↑"), (22, "↑"), (45, "↖"), (90, "←"), (180, "↓"), (-180, "↓"), (-90, "→"), (-23, "↗")],
)
def test_arrows_point_to_where_the_sound_is(azimuth_deg: float, expected: str) -> None:
    assert live_view.arrow(azimuth_deg) == expected


def test_the_schema_of_the_lines_in_docs_is_that_of_the_structs() -> None:
    assert json.loads((ROOT / "docs" / "stream.schema.json").read_text()) == msgspec.json.schema(StreamLine)


def test_faults_are_named() -> None:
    end = StreamEnd(model="m", duration_s=3.0, invalid_samples=4, dropped_blocks=2, lost_s=0.5, drift_ppm=-42.4)
    assert live_view.summary(end) == "m: 3.0 s heard, 2 blocks dropped, 0.50 s lost, 4 invalid samples, clock -42 ppm"


def test_the_verb_is_listed() -> None:
    from edgeseld.cli import edgeseld as group

    assert isinstance(group.get_command(click.Context(group), "stream"), click.Command)
