"""One assembly, many networks: shapes, masks, streams and freezing."""

from pathlib import Path

import msgspec
import pytest
import torch

from edgeseld.core.early_exit import exit_folder
from edgeseld.core.errors import ConfigError, ExportError
from edgeseld.core.recipe import ModelFile, TrainSpec
from edgeseld.core.spec import (
    ContextSpec,
    DropoutSpec,
    HeadSpec,
    ModelSpec,
    NetworkSpec,
    SignalSpec,
    StageSpec,
    StemSpec,
)
from edgeseld.core.structs import read_toml, to_toml
from edgeseld.nn.attention import _shear
from edgeseld.nn.cost import network_cost
from edgeseld.nn.flow import Flow
from edgeseld.nn.freeze import frozen
from edgeseld.nn.graphs import FullGraph, HeadGraph, StreamGraph, example_masks, initial_state, output_names
from edgeseld.nn.heads import AccdoaHead
from edgeseld.nn.network import SeldNetwork
from edgeseld.nn.truncate import truncated
from edgeseld.nn.weights import WEIGHTS_FILE, load_network, save_weights

TINY = ModelSpec(
    id="tiny",
    version="0.0.1",
    description="for tests",
    classes=("bell", "knock"),
    signal=SignalSpec(n_fft=512, window="tapered", window_samples=512, mel_bands=16, window_frames=6),
    network=NetworkSpec(
        stem=StemSpec(channels=4, kernel=(5, 2), stride=(5, 2)),
        stages=(StageSpec(channels=6, blocks=1, pool=(1, 2)),),
        context=ContextSpec(blocks=2, width=8, heads=2, kernel_frames=3),
    ),
    head=HeadSpec(hidden=8),
)


def network_of(spec: ModelSpec) -> SeldNetwork:
    """A network whose every parameter and statistic matters."""
    torch.manual_seed(3)
    network = SeldNetwork(spec)
    with torch.no_grad():
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.is_floating_point() and not name.startswith("frontend"):
                tensor.add_(torch.randn_like(tensor) * 0.1)
    return network.eval()


def pcm_for(spec: ModelSpec, batch: int = 2) -> torch.Tensor:
    signal = spec.signal
    return torch.randn(batch, signal.channels, signal.context_samples + signal.window_pcm_samples) * 0.1


def changed(spec: ModelSpec, **parts: object) -> ModelSpec:
    return msgspec.structs.replace(spec, **parts)


CONTEXTS = ["conformer", "transformer", "convolution", "gru", "gru-attention"]
HEADS = [
    HeadSpec(hidden=8),
    HeadSpec(hidden=8, distance=True),
    HeadSpec(hidden=8, format="accdoa"),
    HeadSpec(hidden=8, format="sed-doa", distance=True),
    HeadSpec(hidden=8, format="sed"),
]


@pytest.mark.parametrize("head", HEADS, ids=lambda h: f"{h.format}-{h.axes}")
def test_every_head_has_the_documented_shapes(head: HeadSpec) -> None:
    spec = changed(TINY, head=head)
    output = network_of(spec)(pcm_for(spec))
    assert list(output) == output_names(spec)
    expected = {
        "multi-accdoa": {"accdoa": (2, 6, 3, head.axes, 2)},
        "accdoa": {"accdoa": (2, 6, 1, 3, 2)},
        "sed-doa": {"activity": (2, 6, 2), "vectors": (2, 6, 3, 2), "distance": (2, 6, 2)},
        "sed": {"activity": (2, 6, 2)},
    }[head.format]
    assert {name: tuple(tensor.shape) for name, tensor in output.items()} == expected


@pytest.mark.parametrize("kind", CONTEXTS)
@pytest.mark.parametrize("positions", ["bias", "shaw", "none"])
def test_every_context_freezes_without_changing_its_numbers(kind: str, positions: str) -> None:
    context = msgspec.structs.replace(TINY.network.context, kind=kind, positions=positions)
    spec = changed(TINY, network=msgspec.structs.replace(TINY.network, context=context))
    network = network_of(spec)
    pcm = pcm_for(spec)
    torch.testing.assert_close(frozen(network)(pcm), network(pcm), atol=2e-6, rtol=1e-5)


def test_position_scores_depend_on_the_distance_alone() -> None:
    table = torch.arange(5.0).expand(1, 1, 3, 5)
    # Distances -2 .. 2 stand at indices 0 .. 4: entry (q, k) is index k - q + 2.
    assert _shear(table)[0, 0].tolist() == [[2.0, 3.0, 4.0], [1.0, 2.0, 3.0], [0.0, 1.0, 2.0]]


def test_shaw_positions_equal_explicit_relative_embeddings() -> None:
    context = msgspec.structs.replace(TINY.network.context, positions="shaw")
    attention = (
        SeldNetwork(changed(TINY, network=msgspec.structs.replace(TINY.network, context=context))).context[0].attention
    )
    query = torch.randn(1, 2, 6, 4)
    distance = torch.arange(6)[None, :] - torch.arange(6)[:, None]
    explicit = torch.einsum("bhqd,qkd->bhqk", query, attention.embedding[distance + 512])
    torch.testing.assert_close(attention._position_scores(query), explicit)


@pytest.mark.parametrize("placement", ["head", "last-block", "feed-forwards"])
def test_trunk_and_head_with_masks_of_ones_are_the_plain_pass(placement: str) -> None:
    spec = changed(TINY, dropout=DropoutSpec(placement=placement))  # type: ignore[arg-type]
    network = network_of(spec)
    pcm = pcm_for(spec, batch=1)
    *_, embedding = FullGraph(network)(pcm)
    (samples,) = HeadGraph(network)(embedding, *example_masks(network, 5))
    torch.testing.assert_close(samples, network(pcm)["accdoa"].expand(5, -1, -1, -1, -1), atol=1e-6, rtol=1e-5)


def test_every_mask_site_of_the_head_changes_the_output() -> None:
    spec = changed(TINY, dropout=DropoutSpec(placement="last-block"))
    network = network_of(spec)
    *_, embedding = FullGraph(network)(pcm_for(spec, batch=1))
    plain = HeadGraph(network)(embedding, *example_masks(network, 1))[0]
    assert [site.name for site in network.mask_sites()] == [
        "block-2.first",
        "block-2.attention",
        "block-2.convolution",
        "block-2.second",
        "head.embedding",
        "head.hidden",
    ]
    for index in range(len(network.mask_sites())):
        masks = example_masks(network, 1)
        masks[index][:, :, ::2] = 0.0
        assert not torch.allclose(HeadGraph(network)(embedding, *masks)[0], plain)


def test_training_draws_masks_that_are_constant_over_time_and_keep_the_mean() -> None:
    site = network_of(TINY).mask_sites()[0].train()
    masked = site(torch.ones(4000, 3, site.channels), Flow())
    assert torch.equal(masked[:, 0], masked[:, 2])
    assert masked.unique().tolist() == pytest.approx([0.0, 1 / (1 - site.rate)])
    assert masked.mean().item() == pytest.approx(1.0, abs=0.02)


def causal_spec() -> ModelSpec:
    context = ContextSpec(blocks=2, width=8, heads=2, kernel_frames=3, left_frames=4)
    stages = (StageSpec(channels=6, blocks=2, pool=(5, 2)), StageSpec(channels=6, blocks=1, block="separable"))
    return changed(TINY, network=NetworkSpec(stem=StemSpec(channels=4), stages=stages, context=context, causal=True))


def test_a_stream_equals_the_offline_pass() -> None:
    spec = causal_spec()
    network = network_of(spec)
    step_samples = spec.signal.hops_per_label_frame * spec.signal.hop_samples
    pcm = torch.randn(1, 4, spec.signal.context_samples + 20 * step_samples) * 0.1
    offline = network(pcm)["accdoa"]
    stream, state, frames = StreamGraph(frozen(network, context_frames=1)), initial_state(network), []
    for frame in range(20):
        step = pcm[:, :, frame * step_samples :][:, :, : spec.signal.context_samples + step_samples]
        output, _, *state = stream(step, *state)
        frames.append(output)
    torch.testing.assert_close(torch.cat(frames, dim=1), offline, atol=1e-5, rtol=1e-5)


def test_a_causal_network_hears_nothing_that_comes_later() -> None:
    spec = causal_spec()
    network = network_of(spec)
    pcm = pcm_for(spec, batch=1)
    later = pcm.clone()
    later[:, :, spec.signal.context_samples + 3 * 2400 :] = 0.0
    torch.testing.assert_close(network(pcm)["accdoa"][:, :3], network(later)["accdoa"][:, :3])


EXITS = changed(
    TINY,
    network=msgspec.structs.replace(
        TINY.network,
        stages=(StageSpec(channels=6, blocks=1, pool=(1, 2)), StageSpec(channels=8, blocks=1)),
        exits=("stage-1", "stage-2", "block-1"),
    ),
)


@pytest.mark.parametrize("name", EXITS.network.exits)
def test_an_exit_cut_out_gives_what_it_gave_inside(name: str) -> None:
    network = network_of(EXITS)
    pcm = pcm_for(EXITS)
    inside = network.infer_all(network.frontend(pcm), Flow())
    alone = truncated(network, name)
    torch.testing.assert_close(alone(pcm)["accdoa"], inside.exits[name]["accdoa"])
    torch.testing.assert_close(frozen(alone)(pcm)["accdoa"], inside.exits[name]["accdoa"], atol=2e-6, rtol=1e-5)
    assert [site.name for site in alone.mask_sites()] == ["head.embedding", "head.hidden"]
    assert network_cost(alone).macs < network_cost(network).macs


def test_the_deepest_output_does_not_depend_on_exits() -> None:
    network = network_of(EXITS)
    pcm = pcm_for(EXITS)
    inside = network.infer_all(network.frontend(pcm), Flow())
    torch.testing.assert_close(inside.output["accdoa"], network(pcm)["accdoa"])
    assert [tuple(m.shape[1:]) for m in inside.maps] == [(4, 6, 8), (6, 6, 4), (8, 6, 4)]


def test_an_exit_is_a_model_folder(tmp_path: Path) -> None:
    recipe = ModelFile(
        **{name: getattr(EXITS, name) for name in EXITS.__struct_fields__}, train=TrainSpec(steps=1, warmup_steps=0)
    )
    network = network_of(recipe)
    (tmp_path / "model.toml").write_bytes(to_toml(recipe))
    save_weights(network, tmp_path / WEIGHTS_FILE)
    pcm = pcm_for(recipe)
    with exit_folder(tmp_path, "stage-1") as folder:
        spec = read_toml(folder / "model.toml", ModelFile)
        loaded = load_network(spec, folder / WEIGHTS_FILE)
    assert spec.id == "tiny-stage-1"
    torch.testing.assert_close(loaded(pcm)["accdoa"], truncated(network, "stage-1")(pcm)["accdoa"])
    with pytest.raises(ConfigError, match="has the exits stage-1, stage-2, block-1, got 'block-3'"):
        exit_folder(tmp_path, "block-3").__enter__()


def test_an_unknown_exit_names_those_there_are() -> None:
    with pytest.raises(ExportError, match="stage-1, stage-2, block-1"):
        truncated(network_of(EXITS), "block-2")
    with pytest.raises(ValueError, match="exits sit behind one of"):
        NetworkSpec(stages=(), context=ContextSpec(blocks=2), exits=("block-2",))


def test_a_gated_head_multiplies_directions_by_activities() -> None:
    torch.manual_seed(0)
    plain = AccdoaHead(8, HeadSpec(hidden=8), 2, 0.0)
    gated = AccdoaHead(8, HeadSpec(hidden=8, gated=True), 2, 0.0)
    gated.branch.hidden.load_state_dict(plain.branch.hidden.state_dict())
    embedding = torch.randn(1, 5, 8)
    for logit, share in ((-60.0, 0.0), (0.0, 0.5), (60.0, 1.0)):
        with torch.no_grad():
            # Rows are (tracks, axes and gate, classes).
            rows = gated.branch.out.weight.view(3, 4, 2, 8)
            rows[:, :3] = plain.branch.out.weight.view(3, 3, 2, 8)
            rows[:, 3] = 0.0
            bias = gated.branch.out.bias.view(3, 4, 2)
            bias[:, :3] = plain.branch.out.bias.view(3, 3, 2)
            bias[:, 3] = logit
        expected = share * plain(embedding, Flow())["accdoa"]
        torch.testing.assert_close(gated(embedding, Flow())["accdoa"], expected)
