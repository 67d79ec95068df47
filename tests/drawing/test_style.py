"""Without matplotlib the cure is named; colours are told apart by all eyes; files are whole or not there."""

import itertools
import sys

import numpy as np
import pytest

from pushforward.drawing.style import COLOURS, blank, save, styled
from pushforward.errors import ArgumentError, PushforwardError
from pushforward.training.history import History, Scene
from pushforward.training.progress import Progress

# What is left of linear red, green and blue to who sees no green, no red (Machado, Oliveira, Fernandes 2009), or all.
EYES = {
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "all": np.eye(3),
}
# Linear colours to Oklab, in which distances are about what is seen (Ottosson 2020).
CONES = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
LAB = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]


def seen(colour, eye):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.array(LAB) @ np.cbrt(np.array(CONES) @ np.clip(np.array(EYES[eye]) @ linear, 0, 1))


@pytest.mark.parametrize("eye", EYES)
def test_every_eye_tells_the_colours_apart(eye):
    points = [seen(colour, eye) for colour in COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(points, 2)) > 0.07
    assert np.linalg.norm(points[0] - points[1]) > 0.2  # the two that are used most


@pytest.fixture
def history():
    told = History()
    told.add(Progress("train", 1, {"loss": 1.0}))
    told.keep(Scene(step=0, real=np.zeros((1, 2)), drawn=np.zeros((1, 2)), extent=(-1, 1, -1, 1)))
    return told


@pytest.mark.parametrize("ask", ["plot", "animate"])
def test_without_matplotlib_the_cure_is_named_and_nothing_is_left(history, tmp_path, monkeypatch, ask):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(PushforwardError, match=r"drawing needs matplotlib.*pip install 'pushforward\[plots\]'"):
        getattr(history, ask)(tmp_path / {"plot": "a.png", "animate": "a.gif"}[ask])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "ending, first", [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_a_figure_is_written_as_its_extension_says(history, tmp_path, ending, first):
    pytest.importorskip("matplotlib")
    history.plot(tmp_path / f"a{ending}")
    assert (tmp_path / f"a{ending}").read_bytes().startswith(first) and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "name, why",
    [("a.txt", "cannot be drawn as .txt; end it with .png or .svg or .pdf"), ("a", "cannot be drawn as a folder"),
     ("none/a.png", "does not exist; make .*none first"), ("there.png", "is a folder; name a file")],
)  # fmt: skip
def test_a_path_that_cannot_be_written_is_refused_by_name(history, tmp_path, name, why):
    pytest.importorskip("matplotlib")
    (tmp_path / "there.png").mkdir()
    with pytest.raises(ArgumentError, match=f"path=.*{why}"):
        history.plot(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["there.png"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("a bug"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_what_stood_there(tmp_path, error):
    pytest.importorskip("matplotlib")
    (tmp_path / "a.png").write_text("mine")

    def half(file, **_):
        file.write(b"half")
        raise error

    with styled():
        figure = blank(2, 2)
    figure.savefig = half
    with pytest.raises(ArgumentError if isinstance(error, OSError) else type(error)):
        save(figure, tmp_path / "a.png")
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"] and (tmp_path / "a.png").read_text() == "mine"


def test_the_settings_of_the_person_are_left_alone(history):
    matplotlib = pytest.importorskip("matplotlib")
    before = matplotlib.rcParams.copy()
    history.plot()
    assert matplotlib.rcParams.copy() == before
