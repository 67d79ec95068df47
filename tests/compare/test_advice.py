"""Who can model what, by asking; and what speaks for it."""

import pytest

import pushforward as pf
from pushforward.compare.capability import able
from pushforward.families import FAMILIES


def test_every_family_is_spoken_of_and_who_cannot_says_why():
    found = {advice.family: advice for advice in pf.recommend("moons")}
    assert set(found) == set(FAMILIES)
    assert "'x' is number" in found["ngram"].unfit and "name the other in to=" in found["bridge"].unfit
    assert found["naive-bayes"].contra and found["tree-mixture"].unfit is None


def test_strong_assumptions_stand_behind_weaker_ones_of_the_same_reach():
    order = [advice.family for advice in pf.recommend("penguins")]
    assert order.index("tree-mixture") < order.index("dependency-tree") < order.index("bridge")


def test_pictures_are_for_who_sees_which_pixels_are_neighbours():
    order = [advice.family for advice in pf.recommend("digits", given="label")]
    assert order[0] == "diffusion"  # as measured: see docs/results.md
    assert max(map(order.index, ("diffusion", "gan", "vae"))) < min(
        map(order.index, ("naive-bayes", "dependency-tree"))
    )


def test_texts_are_for_who_writes_them():
    texts = pf.read({"line": ["to be or not", "or not to be"] * 20}, text=["line"])
    first = pf.recommend(texts)[0]
    assert first.family in ("ngram", "naive-bayes") and "writes texts" in first.pro
    assert set(able(texts)[0]) == {"ngram", "naive-bayes"}


def test_compositions_are_for_those_who_name_them():
    names, unfit = able(pf.read("moons"))
    assert "latent" not in names and "name it with those that you want" in unfit["latent"]


def test_an_unknown_condition_is_refused():
    with pytest.raises(pf.ArgumentError, match="did you mean 'moon'"):
        pf.recommend("moons", given="mon")


def test_the_module_is_called_like_the_function_also_when_parts_of_it_were_imported():
    import pushforward.compare.result  # noqa: F401

    assert callable(pf.compare) and pf.compare.comparing is not None
