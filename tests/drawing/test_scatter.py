"""Points of a latent space stand where they are, in the colour of what they are."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from pushforward.drawing.scatter import categorical, plane, scatter
from pushforward.errors import ArgumentError

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(60, 5)) * [1, 4, 2, 0.5, 1] + 3


def test_more_numbers_than_two_are_turned_as_principal_components_are():
    flat, shares = plane(POINTS)
    peer = PCA(2).fit(POINTS)
    assert np.allclose(np.abs(flat), np.abs(peer.transform(POINTS)))
    assert np.allclose(shares, peer.explained_variance_ratio_, atol=1e-6)
    assert plane(POINTS[:, :2])[0] is not None and plane(POINTS[:, :2])[1] == (None, None)
    assert np.array_equal(plane(POINTS[:, :2])[0], POINTS[:, :2])


@pytest.mark.parametrize(
    "by, level",
    [(["a", "b"], True), ([True, False], True), ([3, 4], True), ([0.5, 2], False), (list(range(11)), False),
     ([None, 1.5], False), ([None, "a"], True)],
)  # fmt: skip
def test_levels_and_amounts_are_told_apart(by, level):
    assert categorical(np.asarray(by)) == level


@pytest.mark.parametrize(
    "points, by, axes, why",
    [
        (np.ones((3, 1)), [1, 2, 3], ("x", "y"), r"points have shape \(3, 1\)"),
        (np.ones((3, 2)), [1, 2], ("x", "y"), r"by has shape \(2,\); it must be \(3,\)"),
        (np.full((3, 2), np.nan), [1, 2, 3], ("x", "y"), "not finite; leave those rows out"),
        (np.ones((3, 2)), [1, 2, 3], "xy", "axes='xy' must be two names"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(points, by, axes, why):
    with pytest.raises(ArgumentError, match=why):
        scatter(points, by, label="l", axes=axes)


@pytest.fixture
def drawn():
    pytest.importorskip("matplotlib")

    def draw(points, by, **more):
        figure = scatter(points, by, label="what", axes=("z0", "z1"), **more)
        return figure, figure.axes[0]

    return draw


def test_every_point_is_in_the_group_of_its_level(drawn):
    by = RNG.integers(0, 3, 60)
    _, axes = drawn(POINTS[:, :2], by)
    groups = {dots.get_label(): dots.get_offsets() for dots in axes.collections}
    assert set(groups) == {"0", "1", "2"}
    for level, dots in groups.items():
        assert np.allclose(dots, POINTS[by == int(level), :2])
    assert axes.get_legend().get_title().get_text() == "what" and axes.get_xlabel() == "z0"


def test_rare_levels_and_holes_share_a_grey_and_no_point_is_lost(drawn):
    by = np.array([*(f"l{i:02}" for i in range(30)), *["often"] * 20, *[None] * 10], dtype=object)
    _, axes = drawn(POINTS, by)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(words) == 12 and words[-2:] == ["all others", "not known"] and "often" in words
    assert sum(len(dots.get_offsets()) for dots in axes.collections) == 60
    assert "% of the variance" in axes.get_xlabel()


def test_numbers_have_a_scale_that_is_named(drawn, tmp_path):
    by = np.where(np.arange(60) < 5, np.nan, np.arange(60) / 3)
    figure, axes = drawn(POINTS[:, :2], by, title="Codes", path=tmp_path / "a.png")
    assert [len(dots.get_offsets()) for dots in axes.collections] == [5, 55]
    assert np.allclose(axes.collections[1].get_array(), by[5:])
    assert figure.axes[1].get_ylabel() == "what" and (tmp_path / "a.png").stat().st_size > 10_000


def test_holes_alone_are_drawn(drawn, tmp_path):
    drawn(POINTS, np.array([None] * 60), path=tmp_path / "a.png")
    drawn(POINTS, np.full(60, np.nan), path=tmp_path / "b.png")
    drawn(POINTS, np.array(["x"] * 59 + [None], dtype=object), path=tmp_path / "c.png")


def test_codes_of_a_model_are_coloured_by_any_field(tmp_path):
    import pushforward as pf

    penguins = pf.read("penguins")
    sizes = penguins.select(["bill_length_mm", "bill_depth_mm", "flipper_length_mm"])
    model = pf.AutoEncoder(latent=3, width=8).fit(sizes, steps=5, seed=0, device="cpu")
    figure = model.scatter(penguins, by="species", path=tmp_path / "codes.png")  # which it has not learned
    ax = figure.axes[0]
    assert sum(len(points.get_offsets()) for points in ax.collections) == len(penguins)
    assert "first direction" in ax.get_xlabel() and (tmp_path / "codes.png").stat().st_size > 1000
    with pytest.raises(ArgumentError, match="by='kind'"):
        model.scatter(penguins, by="kind")
    assert not hasattr(pf.DependencyTree().fit(sizes), "scatter")
