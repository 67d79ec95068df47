"""Steering: a text is reached, others judge so too, and what the restarts and the path are."""

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.text_image import prior

COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 70, 220)}


def grounds(n=192, seed=0):
    """Pictures of one colour with some noise, in words."""
    rng = np.random.default_rng(seed)
    names = rng.choice(list(COLOURS), n)
    pixels = np.stack([np.tile(COLOURS[name], (8, 8, 1)) for name in names]) + rng.integers(-30, 30, (n, 8, 8, 3))
    captions = [f"a {name} ground" for name in names]
    return pf.read({"image": pixels.clip(0, 255).astype(np.uint8), "caption": captions}, text=["caption"])


@pytest.fixture(scope="module")
def clips():
    return [pf.CLIP(width=4, dim=8, text_width=16).fit(grounds(), steps=60, seed=s, device="cpu") for s in (0, 1)]


@pytest.fixture(scope="module", params=["fsq", "learned"])
def vq(request):
    model = pf.VQ(width=8, stages=2, codes=64, codebook=request.param, lr=3e-3)
    return model.fit(grounds().select(["image"]), steps=200, seed=0, device="cpu")


def brightest(records):
    """Which of red, green and blue is the strongest channel of each picture."""
    return records.to_numpy()["image"].astype(float).mean((1, 2)).argmax(1)


@pytest.mark.parametrize("name", COLOURS)
def test_the_text_is_reached_and_another_clip_agrees(vq, clips, name):
    found = pf.steer(vq, clips[0], f"a {name} ground", steps=40, restarts=4, seed=0, judge=clips[1])
    assert (brightest(found.records)[:2] == list(COLOURS).index(name)).all()
    told = clips[1].predict(found.records, among=[f"a {other} ground" for other in COLOURS])
    assert told[0] == f"a {name} ground"


def test_restarts_are_ranked_by_the_judge_and_codes_are_those_of_the_pictures(vq, clips):
    found = pf.steer(vq, clips, "a red ground", steps=3, restarts=5, seed=1, judge=clips[1])
    assert len(found.records) == len(found.scores) == len(found.codes) == 5 and (np.diff(found.scores) <= 0).all()
    assert np.allclose(
        clips[1].similarity(found.records, ["a red ground"])[:, 0], found.scores, atol=0.02
    )  # grey levels
    assert vq.decode(found.codes).table.equals(found.records.table)
    assert torch.equal(torch.from_numpy(found.codes), vq._checked(torch.from_numpy(found.codes)))


def test_the_path_leads_from_where_it_began_to_the_best(vq, clips, tmp_path):
    start = grounds(seed=2)[:1].select(["image"])
    found = pf.steer(vq, clips[0], "a blue ground", steps=12, restarts=2, seed=1, start=start)
    assert found.path[0].table.equals(vq.reconstruct(start).table)
    assert found.path[-1].table.equals(found.records[:1].table)
    assert 2 <= len(found.path) <= 9
    found.path.save(tmp_path / "strip.png")
    found.save(tmp_path / "found.png")


def test_one_seed_one_result_and_nobodys_randomness_is_touched(vq, clips):
    before = torch.get_rng_state()
    one, two, other = (pf.steer(vq, clips[0], "a red ground", steps=3, restarts=2, seed=s).codes for s in (3, 3, 4))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert torch.equal(before, torch.get_rng_state())
    assert all(weight.requires_grad for clip in clips for weight in clip.network.parameters())


def test_a_text_below_zero_pushes_away(vq, clips):
    texts = {"a red ground": 1.0, "a green ground": -1.0}
    found = pf.steer(vq, clips[0], texts, steps=30, restarts=3, seed=0)
    assert clips[0].predict(found.records, among=[f"a {name} ground" for name in COLOURS])[0] != "a green ground"


@pytest.mark.parametrize("family", ["diffusion", "joint"])
def test_a_prior_keeps_pictures_near_what_it_draws(vq, clips, family):
    """One of red grounds alone holds back what leaves for green."""
    red = grounds(400, seed=4)
    red = red.take(np.flatnonzero([c == "a red ground" for c in red.column("caption").to_pylist()]))
    if family == "joint":
        words = {"pictures": "diffusion:width=8,layers=1", "width": 8, "layers": 1}
        model = pf.Joint(**words).fit(red, steps=120, seed=0, device="cpu")
    else:
        model = pf.Diffusion(width=8, layers=1).fit(red.select(["image"]), steps=120, seed=0, device="cpu")
    how = {"steps": 40, "restarts": 3, "seed": 0, "start": red[:1].select(["image"])}
    free = pf.steer(vq, clips[0], "a green ground", **how)
    held = pf.steer(vq, clips[0], "a green ground", prior=model, weight=30.0, **how)
    assert brightest(free.records)[0] == 1 and (brightest(held.records) == 0).all()


def test_a_prior_looks_where_its_painter_is(monkeypatch):
    """Tensors of the device ``meta`` stand for those of another; they have no numbers that could be brought back."""
    painter = pf.Diffusion(width=8, layers=1).fit(grounds(40).select(["image"]), steps=1, device="cpu")
    painter._place(painter.network, "meta")
    asked, seen = [], []
    monkeypatch.setattr(prior, "moved", lambda source, device: asked.append(device))
    painter._denoiser = lambda told: lambda y, sigma: seen.append((y.device.type, sigma.device.type)) or y
    looking = prior.Prior(painter, painter.schema["image"], torch.Generator())
    with pytest.raises(NotImplementedError, match="meta"):
        looking.loss(torch.zeros(2, 3, 8, 8))
    assert asked == [torch.device("meta")] and seen == [("meta", "meta")]


@pytest.mark.parametrize(
    "change, words",
    [
        ({"text": "  "}, "say in a few words"),
        ({"text": {}}, "no text has a weight above 0"),
        ({"text": {"a red ground": -1.0}}, "no text has a weight above 0"),
        ({"text": {"a red ground": float("nan")}}, "must be a number"),
        ({"steps": 0}, "steps=0"),
        ({"restarts": 1.5}, "restarts=1.5"),
        ({"weight": float("nan")}, "weight=nan is out of range"),
        ({"weight": -1.0}, "weight=-1.0 is out of range"),
        ({"weight": True}, "weight=True is out of range"),
        ({"clip": []}, "names no CLIP"),
        ({"clip": [pf.VQ()]}, "VQ finds no text"),
        ({"judge": pf.VQ()}, "VQ finds no text"),
        ({"vq": pf.VAE()}, "VAE has no codes"),
        ({"prior": pf.VAE()}, "prior=VAE is no model of pictures"),
    ],
)
def test_what_makes_no_sense_is_refused(vq, clips, change, words):
    said = {"vq": vq, "clip": clips[0], "text": "a red ground", "steps": 1, "restarts": 1, **change}
    with pytest.raises(pf.ArgumentError, match=words):
        pf.steer(said.pop("vq"), said.pop("clip"), said.pop("text"), **said)


def test_a_vq_of_more_than_pictures_is_refused(clips):
    table = pf.VQ(positions=2, width=8).fit("penguins", steps=1, device="cpu")
    with pytest.raises(pf.ArgumentError, match="fit one to pictures alone"):
        pf.steer(table, clips[0], "a red ground", steps=1)
