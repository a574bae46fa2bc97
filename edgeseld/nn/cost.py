"""What a network costs: parameters, multiply-accumulates, receptive field."""

from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from edgeseld.core.catalogue import Cost
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.core.spec import ModelSpec
from edgeseld.nn.frontend import feature_channels
from edgeseld.nn.network import SeldNetwork

# Costs are stated for 5 s of audio.
LABEL_FRAMES = 50


def network_cost(network: SeldNetwork) -> Cost:
    """Count parameters without teaching heads and exits that it does not end in, and MACs of the windows of 5 s."""
    signal = network.spec.signal
    features = torch.zeros(1, feature_channels(signal), signal.window_hops, signal.mel_bands)
    pcm = torch.zeros(1, signal.channels, signal.context_samples + signal.window_pcm_samples)
    windows = LABEL_FRAMES / signal.window_frames
    unused = [network.teaching_heads, *([] if network.active_exit else [network.exits])]
    spare = sum(parameter.numel() for part in unused for parameter in part.parameters())
    return Cost(
        parameters=sum(parameter.numel() for parameter in network.parameters()) - spare,
        macs=round(windows * _macs(network, lambda: network.infer(features))),
        frontend_macs=round(windows * _macs(network, lambda: network.frontend(pcm))),
        receptive_field_s=receptive_field_s(network.spec),
    )


def _macs(network: nn.Module, run: Callable[[], object]) -> int:
    """Half the operations of convolutions and matrix products, plus those of GRUs, which torch does not count."""
    recurrent = 0

    def count_gru(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: object) -> None:
        nonlocal recurrent
        if isinstance(module, nn.GRU):
            frames = inputs[0].shape[0] * inputs[0].shape[1]
            recurrent += frames * sum(p.numel() for name, p in module.named_parameters() if name.startswith("weight"))

    hooks = [module.register_forward_hook(count_gru) for module in network.modules()]
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return counter.get_total_flops() // 2 + recurrent


def receptive_field_s(spec: ModelSpec) -> float:
    """Seconds of audio that one output frame can depend on: the attention span, or the window."""
    context = spec.network.context
    window_s = spec.signal.window_frames / LABEL_FRAMES_PER_S
    if context.left_frames is None:
        return window_s
    frames = context.blocks * (context.left_frames + context.kernel_frames - 1) + 1
    hops = frames * spec.network.time_reduction() + _encoder_reach(spec)
    return (hops * spec.signal.hop_samples + spec.signal.context_samples) / spec.signal.sample_rate_hz


def _encoder_reach(spec: ModelSpec) -> int:
    """Feature frames before its own that the convolutional encoder of a causal network sees."""
    reach, step = 0, 1
    if spec.network.stem is not None:
        reach, step = spec.network.stem.kernel[0] - 1, spec.network.stem.stride[0]
    for stage in spec.network.stages:
        convolutions = stage.blocks * (2 if stage.block in ("residual", "double-conv") else 1)
        reach += step * 2 + (convolutions - 1) * 2 * step * stage.stride[0]
        step *= stage.stride[0]
        reach += step * (stage.pool[0] - 1)
        step *= stage.pool[0]
    return reach
