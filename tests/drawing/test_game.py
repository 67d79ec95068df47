"""A moving picture has a frame for each scene."""

import numpy as np
import pytest
from PIL import Image

from pushforward.drawing.scene import Scene
from pushforward.errors import ArgumentError

pytest.importorskip("matplotlib")

import itertools

from pushforward.drawing.game import LAST, LONGEST, _pull, animate


def scenes(many, surface=True, arrows=True):
    rng = np.random.default_rng(0)
    grid = np.linspace(0, 1, 16)
    at = rng.uniform(-2, 2, (9, 2))
    return [
        Scene(
            step=10 * i, real=rng.normal(size=(40, 2)), drawn=rng.normal(i / 9, 1, (40, 2)), extent=(-3, 3, -2, 2),
            names=("mass, kg", "length, m"), surface=np.outer(grid, grid**i) if surface else None,
            arrows=np.concatenate([at, -at * i], 1) if arrows else None,
        )
        for i in range(many)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "many, surface, arrows", [(1, True, True), (6, True, True), (3, False, True), (3, False, False)]
)
def test_every_scene_is_a_frame_that_pillow_opens(tmp_path, many, surface, arrows):
    path = animate(scenes(many, surface, arrows), tmp_path / "game.gif")
    with Image.open(path) as picture:
        assert picture.format == "GIF" and getattr(picture, "n_frames", 1) == many
        frames = []
        for i in range(many):
            picture.seek(i)
            frames.append(np.asarray(picture.convert("RGB")))
        assert picture.info["duration"] == LAST
    assert all(frame[0, 0].tolist() == [255, 255, 255] for frame in frames), "paper is white"
    assert all((a != b).any() for a, b in itertools.pairwise(frames))
    assert [p.name for p in tmp_path.iterdir()] == ["game.gif"]


def test_the_plane_is_the_right_way_up(tmp_path):
    """Real at large y, unreal at small x and y."""
    surface = np.repeat(np.linspace(0, 1, 8)[:, None], 8, 1)
    scene = Scene(step=0, real=[[0, 0]], drawn=[[0, 0]], extent=(0, 1, 5, 6), surface=surface)
    with Image.open(animate([scene], tmp_path / "a.gif")) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    column = pixels[:, pixels.shape[1] // 3]
    blue = column[:, 2] - column[:, 0]
    assert np.flatnonzero(blue > 30).max() < np.flatnonzero(blue < -30).min()


def test_arrows_go_over_a_share_of_the_plane_whatever_the_units():
    for unit in (1e-9, 1.0, 1e9):
        arrows = np.concatenate([np.zeros((5, 2)), np.full((5, 2), unit)], 1)
        few = [Scene(step=0, real=[[0, 0]], drawn=[[0, 0]], extent=(0, 1, 0, 1), arrows=arrows)]
        assert _pull(few) * np.hypot(unit, unit) == pytest.approx(LONGEST)


def test_a_game_that_stands_still_has_no_arrows_and_is_drawn(tmp_path):
    still = np.zeros((3, 4))
    animate([Scene(step=0, real=[[0, 0]], drawn=[[0, 0]], extent=(0, 1, 0, 1), arrows=still)], tmp_path / "a.gif")


def test_only_gif_is_written(tmp_path):
    with pytest.raises(ArgumentError, match=r"cannot be drawn as .mp4; end it with .gif"):
        animate(scenes(1), tmp_path / "game.mp4")
