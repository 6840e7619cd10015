"""Images as text."""

from __future__ import annotations

import numpy as np

from tuner.data.picture import BLOCKS, draw, side_by_side


def test_small_images_have_two_characters_a_pixel() -> None:
    levels = np.array([[0.0, 0.25, 0.5, 0.7, 1.0]])
    assert draw(levels) == ["  ░░▒▒▓▓██"]


def test_larger_images_average_two_rows_into_a_line() -> None:
    image = np.zeros((4, 20))
    image[0], image[2:, 10:] = 1.0, 1.0
    assert draw(image) == ["▒" * 20, " " * 10 + "█" * 10]


def test_wide_images_are_averaged_down_and_colours_are_mixed() -> None:
    image = np.zeros((64, 64, 3))
    image[:, :32, :] = 1.0
    assert draw(image) == ["█" * 16 + " " * 16] * 16
    image[..., 1:] = 0.0
    assert set("".join(draw(image))) == {BLOCKS[1], " "}


def test_uneven_sizes_are_means_of_what_is_there() -> None:
    assert draw(np.ones((29, 33))) == ["█" * 17] * 8


def test_values_out_of_range_are_clipped() -> None:
    assert draw(np.array([[-3.0, 9.0]]), " #") == ["  ##"]


def test_pictures_stand_side_by_side_as_far_as_they_fit() -> None:
    pictures = [(str(i), ["ab", "cd"]) for i in range(3)]
    assert side_by_side(pictures, 6) == "0   1\nab  ab\ncd  cd\n\n2\nab\ncd"
    assert side_by_side(pictures, 1).count("\n\n") == 2
