"""Masks from Philox: the published known answers, and the rule that turns words into masks."""

import numpy as np
import pytest

from edgeseld.core.manifest import MaskSiteSpec
from edgeseld.runtime.masks import draw_masks
from edgeseld.runtime.philox import philox4x32, seed_key

# Random123's kat_vectors for philox4x32 with 10 rounds.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_against_the_published_known_answers(counter: str, key: str, expected: str) -> None:
    low, high = words(key)
    assert philox4x32(words(counter), (low, high)).tolist() == words(expected)


def test_a_seed_is_split_into_two_words() -> None:
    assert seed_key(0x1122334455667788) == (0x55667788, 0x11223344)


def test_channel_c_is_word_c_mod_4_of_counter_c_div_4() -> None:
    sites = tuple(
        MaskSiteSpec(name=name, channels=channels, rate=0.25) for name, channels in (("a", 3), ("b", 9), ("c", 6))
    )
    mask = draw_masks(sites, first_sample=7, samples=1, seed=5)[2]
    expected = []
    for channel in range(6):
        word = int(philox4x32([channel // 4, 7, 2, 0], (5, 0))[channel % 4])
        expected.append(4 / 3 if word >> 8 >= 4_194_304 else 0.0)
    assert mask[0, 0].tolist() == pytest.approx(expected)


def test_samples_do_not_depend_on_how_they_are_chunked() -> None:
    sites = (MaskSiteSpec(name="a", channels=5, rate=0.5), MaskSiteSpec(name="b", channels=8, rate=0.1))
    whole = draw_masks(sites, 0, 10, seed=1)
    for number, mask in enumerate(whole):
        parts = [draw_masks(sites, first, 5, seed=1)[number] for first in (0, 5)]
        np.testing.assert_array_equal(np.concatenate(parts), mask)


def test_masks_keep_the_mean() -> None:
    (mask,) = draw_masks((MaskSiteSpec(name="a", channels=128, rate=0.2),), 0, 2000, seed=9)
    assert mask.mean() == pytest.approx(1.0, abs=0.01)
