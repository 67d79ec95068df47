"""The family: what it learns, what it can hold fixed, and what it refuses."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import pushforward as pf
from pushforward.diffusion.diffusion import Diffusion
from pushforward.diffusion.guidance.guided import combined
from pushforward.diffusion.guidance.measured import measured, shrunk
from pushforward.diffusion.hurry import shown, stops
from pushforward.diffusion.paths import PATHS
from pushforward.diffusion.samplers import SAMPLERS

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def bell():
    """A model of two correlated Gaussians, given which."""
    n = 3000
    which = RNG.integers(0, 2, n)
    x = RNG.normal(size=n) + np.where(which == 1, 4.0, -4.0)
    y = 0.8 * x + 0.6 * RNG.normal(size=n)
    data = pf.read({"x": x, "y": y, "which": np.where(which == 1, "right", "left").tolist()})
    return Diffusion(width=64).fit(data, given="which", steps=500, batch=256), data


def test_conditions_are_followed(bell):
    model, data = bell
    truth = data.to_numpy()
    for which in ("left", "right"):
        drawn = model.sample(4000, given={"which": which}, seed=0).to_numpy()
        mine = truth["which"] == which
        for name in ("x", "y"):
            # a short run: within a fifth of a deviation, where the two sides are eight deviations apart
            assert abs(drawn[name].mean() - truth[name][mine].mean()) < 0.2 * truth[name][mine].std()
            assert drawn[name].std() == pytest.approx(truth[name][mine].std(), rel=0.15)
        assert np.corrcoef(drawn["x"], drawn["y"])[0, 1] == pytest.approx(0.8, abs=0.08)


def test_without_a_condition_it_draws_both(bell):
    model, _ = bell
    drawn = model.sample(2000, seed=0)
    assert drawn.names == ("x", "y")  # what is not known is not said
    assert 0.3 < (drawn.to_numpy()["x"] > 0).mean() < 0.7


def test_a_missing_condition_is_an_absent_one(bell):
    model, _ = bell
    drawn = model.sample(400, given={"which": ["left"] * 200 + [None] * 200}, seed=0).to_numpy()
    assert (drawn["x"][:200] < 0).mean() > 0.98  # the sides are eight deviations apart; a short run
    assert 0.3 < (drawn["x"][200:] > 0).mean() < 0.7


def test_log_prob_nears_the_truth(bell):
    model, data = bell
    x = data[:300].to_numpy()
    centre = np.where(x["which"] == "right", 4.0, -4.0)
    truth = -0.5 * (x["x"] - centre) ** 2 - 0.5 * ((x["y"] - 0.8 * x["x"]) / 0.6) ** 2 - np.log(2 * np.pi) - np.log(0.6)
    assert model.density == "estimate"
    assert model.log_prob(data[:300]).mean() == pytest.approx(truth.mean(), abs=0.15)


def test_codes_invert(bell):
    model, data = bell
    back = model.decode(model.encode(data[:50])).to_numpy()
    for name in ("x", "y"):
        assert np.abs(back[name] - data[:50].to_numpy()[name]).mean() < 0.05


def test_guidance_of_one_is_unguided_to_the_bit(bell):
    model, _ = bell
    plain = model.sample(20, given={"which": "left"}, seed=3)
    same = model.sample(20, given={"which": "left"}, seed=3, guidance=1.0)
    other = model.sample(20, given={"which": "left"}, seed=3, guidance=2.0)
    assert plain.table.equals(same.table) and not plain.table.equals(other.table)


def test_complete_uses_what_is_there(bell):
    model, _ = bell
    n = 400
    # Given x, the other number is 0.8 x with deviation 0.6.
    holes = pf.read({"x": np.full(n, 5.0), "y": [None] * (n - 1) + [4.0], "which": ["right"] * n}, number=["y"])
    full = model.complete(holes, seed=0).to_numpy()
    assert (full["x"] == 5.0).all() and full["y"][-1] == 4.0
    assert full["y"][:-1].mean() == pytest.approx(4.0, abs=0.3)
    assert full["y"][:-1].std() == pytest.approx(0.6, abs=0.25)


def test_pictures_and_columns_are_drawn_together():
    data = pf.read("digits")[:200]
    model = Diffusion(width=8, layers=1).fit(data, steps=3)
    drawn = model.sample(5, seed=0)
    assert drawn.names == ("image", "label") and drawn.to_numpy()["image"].shape == (5, 8, 8)
    assert set(drawn.to_numpy()["label"]) <= set(range(10))


@pytest.mark.parametrize("shape", [(5, 7, 1), (8, 8, 3), (28, 28, 1), (33, 20, 3)])
def test_pictures_of_any_size(shape):
    pixels = RNG.integers(0, 256, (12, *shape), dtype=np.uint8)
    model = Diffusion(width=8, layers=1).fit(pf.read({"image": pixels}), steps=2)
    drawn = model.sample(3, seed=0, steps=3)
    assert drawn.schema == model.schema
    assert model.denoise(pf.read({"image": pixels[:2]}), 0.1).schema == model.schema


def test_denoising_brings_pictures_nearer():
    data, _ = pf.read("digits").split(0.9, seed=0)
    model = Diffusion(width=16).fit(data, steps=150)
    clean = data[:100].to_numpy()["image"].astype(float)
    noisy = np.clip(np.rint(clean + 0.2 * 255 * RNG.normal(size=clean.shape)), 0, 255).astype(np.uint8)
    out = model.denoise(pf.read({"image": noisy, "label": data[:100].to_numpy()["label"]}, category=["label"]), 0.2)
    after = np.square(out.to_numpy()["image"].astype(float) - clean).mean()
    assert after < 0.5 * np.square(noisy - clean).mean()


def test_all_kinds_of_conditions():
    n = 40
    data = pf.read(
        {
            "y": RNG.normal(size=n),
            "number": RNG.normal(size=n),
            "category": ["a", "b"] * (n // 2),
            "words": [f"a number of things {i}" for i in range(n)],
            "picture": RNG.integers(0, 256, (n, 9, 9), dtype=np.uint8),
        },
        text=["words"],
    )
    model = Diffusion(width=16).fit(data, given=["number", "category", "words", "picture"], steps=3)
    given = {"words": "two things", "picture": np.zeros((9, 9), np.uint8), "category": "b"}
    drawn = model.sample(4, given=given, seed=0)
    assert drawn.names == ("y", "category", "words", "picture")
    assert drawn.to_numpy()["words"].tolist() == ["two things"] * 4


def test_verbs_are_absent_where_they_make_no_sense(bell):
    model, _ = bell
    for verb in ("denoise", "predict", "assign", "reconstruct"):
        assert not hasattr(model, verb), verb
    for verb in ("log_prob", "encode", "complete"):
        assert hasattr(model, verb), verb


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Diffusion(layers=0), "layers"),
        (lambda: Diffusion(lr=-1), "lr"),
        (lambda: Diffusion().fit({"t": [f"one two three four {i}" for i in range(30)]}), "t"),
        (lambda: Diffusion().fit({"image": np.zeros((4, 3, 3), np.uint8)}), "image"),
        (lambda: Diffusion().fit({"a": np.zeros((4, 8, 8), np.uint8), "b": np.zeros((4, 8, 8), np.uint8)}), "given="),
        (lambda: Diffusion().fit({"x": np.zeros(4)}, given="x"), "given"),
        (lambda: Diffusion().fit({"x": np.zeros(4)}, given="z"), "z"),
    ],
)
def test_refusals_name_what_is_wrong(make, names):
    with pytest.raises(pf.PushforwardError, match=names) as refusal:
        make()
    assert "\n" not in str(refusal.value)


def test_sampling_refuses_by_name(bell):
    model, _data = bell
    for options, names in (
        ({"steps": 0}, "steps=0"),
        ({"guidance": -1}, "guidance"),
        ({"guidance": 2}, "which"),  # nothing given to follow
        ({"given": {"x": 1.0}}, "x"),
        ({"given": {"which": "middle"}}, "middle"),
    ):
        with pytest.raises(pf.PushforwardError, match=names):
            model.sample(3, **options)
    holed = pf.read({"x": [None, 1.0], "y": [1.0, 2.0], "which": ["left", "right"]})
    with pytest.raises(pf.DataError, match="complete"):
        model.log_prob(holed)


def test_guidance_without_conditions_is_named():
    model = Diffusion(width=16).fit({"x": RNG.normal(size=50)}, steps=2)
    with pytest.raises(pf.ArgumentError, match="no conditions"):
        model.sample(3, guidance=2.0)


def test_half_precision_trains():
    model = Diffusion(width=16, layers=1).fit(pf.read("digits")[:100], given="label", steps=5, precision="bfloat16")
    assert np.isfinite(model.measurements["last"]["denoising"])
    assert all(p.dtype == torch.float32 for p in model.network.parameters())


def test_weights_tell_which_records_count():
    data = pf.read({"x": np.concatenate([RNG.normal(-3, 0.3, 500), RNG.normal(3, 0.3, 500)])})
    weights = np.repeat([1.0, 0.0], 500)
    model = Diffusion(width=32).fit(data, weights=weights, steps=300, batch=128)
    assert (model.sample(500, seed=0).to_numpy()["x"] < 0).mean() > 0.98


def test_a_scan_trains_as_well(tmp_path):
    path = pf.read({"x": RNG.normal(2.0, 0.5, 3000)}).save(tmp_path / "x.parquet")
    model = Diffusion(width=32).fit(pf.scan(path), steps=200, batch=128)
    assert model.sample(1000, seed=0).to_numpy()["x"].mean() == pytest.approx(2.0, abs=0.1)


def test_a_score_of_levels_is_near_the_truth_from_below():
    """A category at .9 and .1 beside a number that is missing half the time: shares to 0.04, and nearly all of 1.

    What is lacking is what the mean over noise loses; that the number is there is not to count.
    """
    n = 4000
    values = np.where(RNG.random(n) < 0.5, np.nan, 0.0)
    data = pf.read(
        {"level": np.where(RNG.random(n) < 0.9, "often", "seldom").tolist(), "x": RNG.normal(size=n) + values}
    )
    model = Diffusion(width=64).fit(data, steps=800)
    x = np.linspace(-4, 4, 81)
    p = {}
    for level in ("often", "seldom"):
        p[level] = np.exp(model.log_prob(pf.read({"level": [level] * 81, "x": x}))).sum() * (x[1] - x[0])
    total = p["often"] + p["seldom"]
    assert 0.7 < total < 1.02
    assert p["often"] / total == pytest.approx(0.9, abs=0.04)


def test_without_dropped_conditions_all_must_be_given():
    data = pf.read({"x": RNG.normal(size=100), "c": ["a", "b"] * 50})
    model = Diffusion(width=16, absent=0).fit(data, given="c", steps=3)
    assert len(model.sample(3, given={"c": "a"}, seed=0)) == 3
    assert not hasattr(model, "encode")
    with pytest.raises(pf.ArgumentError, match="absent=0"):
        model.sample(3)


@pytest.mark.parametrize("data, options", [({"x": [1.0]}, {}), ({"x": [1.0, 2.0, 3.0]}, {"validation": 0})])
def test_a_run_that_could_not_know_when_to_stop_is_refused(data, options):
    with pytest.raises(pf.ArgumentError, match="steps="):
        Diffusion(width=16).fit(data, **options)


# Ways to draw


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_any_sampler_draws(bell, sampler):
    model, data = bell
    drawn = model.sample(1000, given={"which": "left"}, sampler=sampler, steps=40, seed=0).to_numpy()
    mine = data.to_numpy()["x"][data.to_numpy()["which"] == "left"]
    assert abs(drawn["x"].mean() - mine.mean()) < 0.3 * mine.std()
    again = model.sample(1000, given={"which": "left"}, sampler=sampler, steps=40, seed=0).to_numpy()
    assert (drawn["x"] == again["x"]).all()


@pytest.mark.parametrize("path", sorted(PATHS))
def test_any_path_is_learned(path):
    x = RNG.normal(5.0, 2.0, 3000)
    model = Diffusion(along=path, width=32).fit({"x": x}, steps=300, batch=128)
    # by quantiles: who is asked for the noise errs by σ times as much at large noise, and gives a few draws far out
    low, middle, high = np.quantile(model.sample(2000, seed=0).to_numpy()["x"], [0.159, 0.5, 0.841])
    assert middle == pytest.approx(5.0, abs=0.3) and (high - low) / 2 == pytest.approx(2.0, rel=0.2)


def test_a_trail_goes_from_noise_to_what_is_drawn(bell, tmp_path):
    model, _ = bell
    trail = model.sample(50, given={"which": "left"}, steps=12, return_path=True, seed=0)
    assert len(trail) == len(trail.sigmas) == 13 and trail.sigmas[-1] == 0
    assert trail[-1].table.equals(model.sample(50, given={"which": "left"}, steps=12, seed=0).table)
    assert abs(np.corrcoef(*(trail[0].to_numpy()[name] for name in ("x", "y")))[0, 1]) < 0.5  # noise
    strip, film = trail.save(tmp_path / "strip.png"), trail.save(tmp_path / "film.gif")
    assert strip.stat().st_size > 5000
    with Pillow.open(film) as opened:
        assert opened.n_frames == 13
    with pytest.raises(pf.ArgumentError, match=r"\.png or \.gif"):
        trail.save(tmp_path / "trail.csv")


def test_guidance_away_from_a_weak_network():
    data = pf.read("moons")
    model = Diffusion(width=32, weak=True).fit(data, given="moon", steps=60)
    plain = model.sample(30, seed=0).to_numpy()["x"]
    led = model.sample(30, guidance=2.0, against="weak", seed=0).to_numpy()["x"]  # needs no condition
    assert not (plain == led).all()
    with pytest.raises(pf.ArgumentError, match="weak=True"):
        Diffusion(width=8).fit(data, steps=2).sample(2, guidance=2.0, against="weak")


def test_guidance_holds_between_two_noise_levels(bell):
    model, _ = bell
    options = {"given": {"which": "left"}, "seed": 3, "guidance": 3.0}
    nowhere = model.sample(20, **options, least=1e5)
    plain = model.sample(20, given={"which": "left"}, seed=3)
    assert np.allclose(nowhere.to_numpy()["x"], plain.to_numpy()["x"])
    assert not np.allclose(model.sample(20, **options, most=1.0).to_numpy()["x"], plain.to_numpy()["x"])


def test_denoisers_are_combined_by_hand(bell):
    model, _ = bell
    n = 200
    towards = [(model.denoiser(n, {"which": "left"}), 1.0)]
    by_hand = model.sample(n, around=lambda _: combined(model.denoiser(n), towards), seed=0)
    assert np.allclose(by_hand.to_numpy()["x"], model.sample(n, given={"which": "left"}, seed=0).to_numpy()["x"])


@pytest.fixture(scope="module")
def pictured():
    """Pictures of one grey level each, whose rows of pixels are all alike."""
    grey = RNG.integers(40, 216, (800, 8, 1, 1)).astype(np.uint8)
    data = pf.read({"image": np.broadcast_to(grey, (800, 8, 8, 1)).copy()})
    return Diffusion(width=16).fit(data, steps=250, batch=64), data


def test_masked_pixels_follow_from_the_others(pictured):
    model, data = pictured
    mask = np.zeros((8, 8), bool)
    mask[:, 4:] = True
    before = data[:40].to_numpy()["image"]
    holed = np.where(mask[None, :, :, None], 0, before.reshape(40, 8, 8, 1)).astype(np.uint8)
    after = model.complete(pf.read({"image": holed}), mask=mask, seed=0).to_numpy()["image"].reshape(40, 8, 8)
    truth = before.reshape(40, 8, 8).astype(float)
    assert (after[:, :, :4] == truth[:, :, :4]).all()  # known pixels are untouched
    assert np.abs(after[:, :, 4:] - truth[:, :, 4:]).mean() < 0.4 * truth[:, :, 4:].std()
    with pytest.raises(pf.ArgumentError, match="mask has shape"):
        model.complete(data[:2], mask=np.zeros((3, 3), bool))


def test_small_pictures_are_made_large(pictured):
    model, data = pictured
    x, _ = model._flat(next(model._blocks(data[:20])))
    seen = shrunk((1, 8, 8), 4)
    value = seen.forward(x)
    drawn = model.sample(20, around=lambda d: measured(d, seen, value), sampler="churn", steps=32, seed=0)
    back, _ = model._flat(next(model._blocks(drawn)))
    assert (seen.forward(back) - value).abs().mean() < 0.1


def test_an_estimate_says_how_far_it_is_off(bell):
    model, _ = bell
    assert set(model.measurements["errors"]) == {"solver"}  # the trace of two coordinates is computed
    assert model.measurements["errors"]["solver"] < 1e-2


def test_few_steps_of_a_network_that_hurries(tmp_path):
    """Four clusters: in two steps it comes near where the same noise leads in many; two steps of DDIM do not."""
    rng = np.random.default_rng(4)
    centres = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    points = centres[rng.integers(0, 4, 4000)] + 0.05 * rng.standard_normal((4000, 2))
    model = Diffusion(width=64, hurry=2).fit(points, steps=1600, batch=256, seed=0)

    def drawn(**options):
        return np.stack(list(model.sample(1000, seed=0, **options).to_numpy().values()), 1)

    goal = drawn(steps=40)
    hurried, plain = (
        np.linalg.norm(x - goal, axis=1).mean() for x in (drawn(hurry=True), drawn(sampler="ddim", steps=3))
    )
    assert hurried < 0.3 * plain
    model.save(tmp_path / "model")
    again = pf.load(tmp_path / "model").sample(5, seed=1, hurry=True)
    assert again.table.equals(model.sample(5, seed=1, hurry=True).table)
    with pytest.raises(pf.ArgumentError, match="hurry=4"):
        Diffusion(width=8).fit(points, steps=2).sample(2, hurry=True)


def test_where_the_teacher_ends_one_step_ends():
    teacher = lambda x, s: x / (1 + s[:, None] ** 2)  # noqa: E731 - of a standard normal, whose x keeps its place on the circle
    x, levels = torch.randn(9, 2), stops(3)
    for sigma, target in itertools.pairwise(levels):
        mean = shown(teacher, sigma * x, sigma, target)
        end = mean + target / sigma * (sigma * x - mean)
        truth = sigma * x * ((1 + target**2) / (1 + sigma**2)).sqrt()
        assert torch.allclose(end, truth, rtol=2e-2, atol=2e-2)
