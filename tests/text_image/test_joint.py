"""Joint: what it learns, what it keeps, what it says and what it refuses."""

import warnings
from functools import partial

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.data import as_records
from pushforward.data.holes import hide
from pushforward.text_image.joint import Joint
from pushforward.text_image.network import Reading

PICTURES = "diffusion:width=8,layers=1,absent=0.2"
SMALL = {"pictures": PICTURES, "width": 32, "layers": 2, "lr": 3e-3}


def squares(n=400, seed=0):
    """8×8 pictures of a grey or white square on one of four places, in words, with its brightness beside."""
    rng = np.random.default_rng(seed)
    up, left, bright = (rng.integers(0, 2, n).astype(bool) for _ in range(3))
    pixels = np.zeros((n, 8, 8), np.uint8)
    for i in range(n):
        row, column = 0 if up[i] else 4, 0 if left[i] else 4
        pixels[i, row : row + 4, column : column + 4] = 255 if bright[i] else 120
    captions = [
        f"a {'white' if b else 'grey'} square, {'up' if u else 'down'} and {'left' if c else 'right'}"
        for u, c, b in zip(up, left, bright, strict=True)
    ]
    return {"image": pixels, "caption": captions, "shade": ["white" if b else "grey" for b in bright]}


def read(pixels):
    """What a picture shows, in words."""
    corners = pixels.astype(int).reshape(2, 4, 2, 4).mean((1, 3))
    row, column = np.unravel_index(corners.argmax(), (2, 2))
    shade = "white" if corners.max() > 185 else "grey"
    return f"a {shade} square, {['up', 'down'][row]} and {['left', 'right'][column]}"


@pytest.fixture(scope="module")
def data():
    return pf.read(squares(), text=["caption"])


@pytest.fixture(scope="module")
def model(data):
    return Joint(**SMALL).fit(data, steps=500, seed=0, device="cpu")


def test_pictures_follow_their_captions(model):
    said = sorted(set(squares()["caption"])) * 8
    drawn = model.sample(len(said), given={"caption": said}, seed=0)
    shown = [read(picture) for picture in drawn.to_numpy()["image"]]
    assert np.mean([a == b for a, b in zip(said, shown, strict=True)]) > 0.9
    assert drawn.to_numpy()["caption"].tolist() == said


def test_captions_follow_their_pictures(model):
    new = squares(64, seed=1)
    drawn = model.sample(64, given={"image": new["image"]}, seed=0)
    columns = drawn.to_numpy()
    assert np.mean(columns["caption"] == np.array(new["caption"], object)) > 0.9
    assert np.mean(columns["shade"] == np.array(new["shade"], object)) > 0.9
    assert (columns["image"] == new["image"]).all()


@pytest.mark.parametrize("first", ["words", "picture", "together"])
def test_pairs_belong_together_whichever_is_drawn_first(model, first):
    columns = model.sample(100, seed=0, first=first).to_numpy()
    shown = [read(picture) for picture in columns["image"]]
    assert np.mean([a == b for a, b in zip(columns["caption"], shown, strict=True)]) > 0.75
    assert len(set(columns["caption"])) >= 7


def test_words_that_led_to_a_picture_are_not_those_told_beside_it(model, monkeypatch):
    """Who does not look at pictures tells by chance what is on one that came first: 1 / 8."""
    monkeypatch.setattr(Reading, "see", lambda self, views, plain=Reading.see: plain(self, self.blind(len(views))))
    for first, low, high in (("words", 0.75, 1.0), ("picture", 0.0, 0.3)):
        columns = model.sample(100, seed=0, first=first).to_numpy()
        shown = [read(picture) for picture in columns["image"]]
        assert low <= np.mean([a == b for a, b in zip(columns["caption"], shown, strict=True)]) <= high


def test_of_several_pictures_the_one_that_its_words_fit_is_kept(model):
    said = sorted(set(squares()["caption"])) * 8
    one, best = (model.sample(64, given={"caption": said}, guidance=0.0, best=best, seed=0) for best in (1, 8))
    assert best.column("caption").to_pylist() == said
    right = [np.mean([read(p) == c for p, c in zip(r.to_numpy()["image"], said, strict=True)]) for r in (one, best)]
    assert right[0] < 0.3 and right[1] > 0.5  # not led by words a picture fits by chance: 1 / 8, one of eight 0.66
    with pytest.raises(pf.ArgumentError, match=r"best=2 chooses .* first='together' draws them at once"):
        model.sample(2, best=2, first="together")


@pytest.mark.parametrize("verb", ["sample", "complete"])
def test_of_several_captions_the_one_that_the_picture_fits_is_kept(model, verb, monkeypatch):
    """Words that are drawn without a look at the picture are right by chance: 1 / 8, one of 16 of them 0.88."""
    new = squares(64, seed=1)
    monkeypatch.setattr(Reading, "see", lambda self, views, plain=Reading.see: plain(self, self.blind(len(views))))
    known = {"image": new["image"]}
    draw = partial(model.sample, 64, given=known) if verb == "sample" else partial(model.complete, known)
    captions = [draw(best=best, seed=0).column("caption").to_pylist() for best in (1, 16)]
    right = [np.mean([a == b for a, b in zip(said, new["caption"], strict=True)]) for said in captions]
    assert right[0] < 0.3 and right[1] > 0.7


def test_words_are_changed_one_by_one_while_that_makes_them_more_probable(model, monkeypatch):
    """One of two captions that are drawn blindly is right by chance in .23; the words of the better are put right."""
    new = squares(64, seed=1)
    monkeypatch.setattr(Reading, "see", lambda self, views, plain=Reading.see: plain(self, self.blind(len(views))))
    said = model.sample(64, given={"image": new["image"]}, best=2, seed=0).column("caption").to_pylist()
    assert np.mean([a == b for a, b in zip(said, new["caption"], strict=True)]) > 0.6
    known = [each in set(new["caption"]) for each in said]
    assert np.mean(known) > 0.9, f"{np.mean(known)}: what fits a picture stays a text that there may be"


def test_words_that_come_second_are_chosen_by_the_picture(model):
    """Both parts of a pair were drawn by the model, and the picture is the same however many captions there are."""
    one, best = (model.sample(64, first="picture", best=best, seed=0) for best in (1, 8))
    assert one.column("image").equals(best.column("image"))
    shown = [read(picture) for picture in best.to_numpy()["image"]]
    assert np.mean([a == b for a, b in zip(best.column("caption").to_pylist(), shown, strict=True)]) > 0.75


def test_half_a_picture_chooses_no_words(model):
    known = {"image": squares(2)["image"]}
    with pytest.raises(pf.ArgumentError, match=r"best=4 chooses .* mask= hides a part of them; say best=1"):
        model.complete(known, mask=np.eye(8, dtype=bool), best=4)


def test_captions_are_chosen_and_categories_predicted(model):
    new, among = squares(32, seed=2), sorted(set(squares()["caption"]))
    pictures = {"image": new["image"]}
    assert np.mean(model.predict(pictures, among=among) == np.array(new["caption"], object)) > 0.9
    chances = model.predict_proba(pictures, among=among)
    assert chances.shape == (32, 8) and np.allclose(chances.sum(1), 1)
    assert np.mean(model.predict(pictures, "shade") == np.array(new["shade"], object)) > 0.9


def test_a_bound_of_each_part_given_the_other(model, data):
    some = data[:80]
    turned = pf.Records(
        data.schema, some.table.set_column(1, "caption", some.take(np.arange(1, 81) % 80).table["caption"])
    )
    wrong = np.array([a != b for a, b in zip(*(r.column("caption").to_pylist() for r in (some, turned)), strict=True)])
    gap = model.log_prob(some, of="caption") - model.log_prob(turned, of="caption")
    assert (gap[wrong] > 0).mean() > 0.9
    gap = (model.log_prob(some, of="image") - model.log_prob(turned, of="image"))[wrong]
    assert gap.mean() > 5 * gap.std() / len(gap) ** 0.5  # an estimate errs by some nats a record
    assert model.density == "estimate" and (model.log_prob(some, of="caption") > model.log_prob(some)).all()
    assert model.log_prob(some, of="caption").mean() > -4  # nats; ln 8 if nothing was learned but the eight captions
    with pytest.raises(pf.ArgumentError, match=r"of='text'.*caption"):
        model.log_prob(some, of="text")


def test_what_is_missing_is_left_out_of_the_bound(model, data):
    columns = squares(100, seed=3)
    no_words = as_records({**columns, "caption": [None] * 100, "shade": [None] * 100}, data.schema)
    whole = as_records(columns, data.schema)
    rest = model.log_prob(whole, of="image")
    gap = rest - model.log_prob(no_words)  # p(picture | words) over p(picture), of eight kinds: about ln 8
    assert gap.mean() > 2 * gap.std() / 10


def test_half_a_picture_is_completed_and_the_other_half_stays(model):
    new = squares(40, seed=4)
    mask = np.zeros((8, 8), bool)
    mask[4:] = True
    out = model.complete({**new, "image": new["image"]}, mask=mask, seed=0).to_numpy()["image"]
    assert (out[:, :4] == new["image"][:, :4]).all()
    assert np.mean([read(p) == c for p, c in zip(out, new["caption"], strict=True)]) > 0.9


def test_words_that_are_open_are_found_in_the_picture(model):
    new = squares(40, seed=5)
    holed = [c.replace("white", "___").replace("grey", "___") for c in new["caption"]]
    out = model.complete({"image": new["image"], "caption": holed}, gap="___", seed=0).column("caption").to_pylist()
    assert np.mean([a == b for a, b in zip(out, new["caption"], strict=True)]) > 0.9
    assert all(text.replace("white", "___").replace("grey", "___") == h for text, h in zip(out, holed, strict=True))


def test_either_part_is_completed_from_the_other(model):
    new = squares(200, seed=6)
    words = model.complete({"caption": new["caption"]}, seed=0)
    assert words.column("image").null_count == 0
    assert np.mean([read(p) == c for p, c in zip(words.to_numpy()["image"], new["caption"], strict=True)]) > 0.9
    pictures = model.complete({"image": new["image"]}, seed=0)
    assert pictures.column("shade").null_count == 0 and (pictures.to_numpy()["image"] == new["image"]).all()


def test_a_diffusion_that_is_fitted_is_taken_as_it_is(data):
    own = pf.Diffusion(width=8, layers=1).fit(data, given=["caption", "shade"], steps=20, seed=1)
    before = {name: tensor.clone() for name, tensor in own.network.state_dict().items()}
    model = Joint(pictures=own, width=8, layers=1).fit(data, steps=3, seed=0)
    assert all(torch.equal(before[name], tensor) for name, tensor in model._drawer.network.state_dict().items())
    assert model.measurements["pictures"]["steps"] == 20
    with pytest.raises(pf.ArgumentError, match=r"pictures= was fitted to image .8×8.*given=..caption"):
        Joint(pictures=own).fit(data.select(["image", "caption"]), steps=1)


def test_parts_of_parts_are_set_by_their_names():
    model = Joint(**SMALL)
    own = model.pictures
    assert model.set_params(pictures__width=64, width=16).pictures.width == 64 and own.width == 8 and model.width == 16
    assert model.coder == "auto" and model.set_params(coder__codes=64).coder.codes == 64
    with pytest.raises(pf.ArgumentError, match="coder__codes=9 is of no part: coder=None draws pixels"):
        Joint(coder=None).set_params(coder__codes=9)


@pytest.mark.parametrize(
    "coder, side, codes", [("auto", 16, None), ("auto", 32, 2016), (None, 32, None), ("vq:codes=16,stages=1", 8, 16)]
)
def test_pictures_are_drawn_as_codes_where_they_are_large_or_that_is_said(coder, side, codes):
    columns = squares(12)
    large = {**columns, "image": columns["image"].repeat(side // 8, 1).repeat(side // 8, 2)}
    model = Joint(pictures=PICTURES, coder=coder, width=8, layers=1).fit(pf.read(large, text=["caption"]), steps=1)
    known = model.measurements["pictures"]
    assert known["model"]["codes"] == codes if codes else "model" not in known
    assert model.sample(2, seed=0).to_numpy()["image"].shape == (2, side, side)


def test_a_diffusion_of_pixels_draws_no_codes(data):
    own = pf.Diffusion(width=8, layers=1).fit(data, given=["caption", "shade"], steps=1, seed=1)
    with pytest.raises(pf.ArgumentError, match=r"pictures= was fitted to pixels, .* say coder=None"):
        Joint(pictures=own, coder="vq:stages=1").fit(data, steps=1)


@pytest.mark.parametrize("coder", ["vq:codebook=learned,stages=1", "vq:stages=3", "vq:body=dense"])
def test_codes_that_are_no_small_picture_are_refused(coder, data):
    with pytest.raises(
        pf.DataError, match="makes no grid of rounded codes of at least 4 by 4 of 'image'; say codebook=fsq"
    ):
        Joint(pictures=PICTURES, coder=coder).fit(data, steps=1)


def test_codes_follow_captions_and_are_completed(data):
    model = Joint(**SMALL, coder="vq:codes=64,stages=1,width=8,lr=3e-3").fit(data, steps=500, seed=0, device="cpu")
    said = sorted(set(squares()["caption"])) * 8
    drawn = model.sample(64, given={"caption": said}, seed=0).to_numpy()["image"]
    assert np.mean([read(picture) == caption for picture, caption in zip(drawn, said, strict=True)]) > 0.9
    new, mask = squares(40, seed=4), np.arange(8)[:, None].repeat(8, 1) > 3
    out = model.complete(new, mask=mask, seed=0).to_numpy()["image"]
    assert (out[:, :4] == new["image"][:, :4]).all()
    assert np.mean([read(p) == c for p, c in zip(out, new["caption"], strict=True)]) > 0.9
    gap = model.log_prob(new, of="caption") - model.log_prob({**new, "caption": new["caption"][::-1]}, of="caption")
    assert gap[np.array(new["caption"]) != np.array(new["caption"][::-1])].mean() > 1


def test_words_never_seen_are_said_and_drawn_from(model):
    with pytest.warns(pf.CaptionWarning, match="ball, 字"):
        drawn = model.sample(2, given={"caption": "a white ball, 字"}, seed=0)
    assert drawn.column("caption").to_pylist() == ["a white ball, 字"] * 2


def test_a_long_caption_is_cut_and_said(model):
    with pytest.warns(pf.CaptionWarning) as told:
        model.sample(1, given={"caption": "white " * 1700}, seed=0)
    assert any("10,200 characters is cut" in str(each.message) for each in told)


def test_captions_too_long_to_be_learned_whole_are_said():
    data = pf.read({**squares(60), "caption": ["white square " * 40] * 60}, text=["caption"])
    with pytest.warns(pf.CaptionWarning, match="'caption' have up to 80 tokens, of which the first 48 are learned"):
        Joint(pictures=PICTURES, width=8, layers=1).fit(data, steps=1)


def test_some_records_may_lack_their_picture(model, data):
    mixed = data[:4].concat(hide(data[4:8], ["image"]))
    assert np.isfinite(model.log_prob(mixed)).all()


def test_empty_captions_and_none(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = model.sample(2, given={"caption": ["", None]}, seed=0).column("caption").to_pylist()
    assert drawn[0] == "" and drawn[1]


def test_records_without_caption_or_picture_teach_what_they_have():
    columns = squares(60)
    data = pf.read(
        {**columns, "caption": [None if i % 3 == 0 else c for i, c in enumerate(columns["caption"])]}, text=["caption"]
    )
    model = Joint(pictures=PICTURES, width=8, layers=1).fit(data, steps=5, seed=0)
    assert len(model.sample(4, seed=0)) == 4 and np.isfinite(model.log_prob(data[:6])).all()
    assert model.complete({"image": columns["image"][:6]}, seed=0).column("caption").null_count == 0


def test_conditions_may_be_told_or_not(data, tmp_path):
    model = Joint(pictures=PICTURES, width=8, layers=1).fit(data, given="shade", steps=3, seed=0)
    assert model.sample(2, given={"shade": "grey"}, seed=0).names == ("image", "caption", "shade")
    assert model.sample(2, seed=0).names == ("image", "caption")
    told = Joint(pictures=PICTURES, width=8, layers=1).fit(data, given="image", steps=3, seed=0)
    assert told.sample(2, given={"image": data.to_numpy()["image"][:2]}, seed=0).names == ("image", "caption", "shade")
    assert np.isfinite(told.log_prob(data[:3])).all() and told.sample(2, seed=0).names == ("caption", "shade")
    told.save(tmp_path / "told")  # no picture is drawn, so that a part of the model was not fitted
    first, again = (m.sample(9, given=data[:9].select(["image"]), seed=0) for m in (told, pf.load(tmp_path / "told")))
    assert first.column("caption").to_pylist() == again.column("caption").to_pylist()


@pytest.mark.parametrize(
    "change, match",
    [
        ({"caption": None, "shade": None}, "no text or category"),
        ({"image": None}, "one picture"),
        ({"size": np.arange(40.0) / 7}, "'size' is a number"),
    ],
)
def test_what_it_cannot_model_is_refused_by_name(change, match):
    columns = {name: value for name, value in {**squares(40), **change}.items() if value is not None}
    data = pf.read(columns, text=[n for n in ["caption"] if n in columns])
    with pytest.raises(pf.DataError, match=match):
        Joint(**SMALL).fit(data, steps=1)


def test_other_families_are_refused():
    with pytest.raises(pf.ArgumentError, match="pictures"):
        Joint(pictures="vae:latent=4")
