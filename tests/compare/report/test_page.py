"""The page asks for nothing from outside, is well-formed whatever it is told, and leaves out nothing that was found."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from pushforward.compare.report import html
from pushforward.metrics import Measured

from .conftest import cell, comparison, one

KINDS = ("table", "pictures", "texts")
HOSTILE = '<script>alert("1")</script>&\'\x00\x1b\ud800'


def parsed(page):
    """The page as a tree, which exists only if it is well-formed."""
    assert page.startswith("<!DOCTYPE html>\n")
    return ET.fromstring(page.split("\n", 1)[1])


def said(element):
    return " ".join("".join(element.itertext()).split())


def full(kind="table", folder=None, **more):
    cells = [cell("tree-mixture", s, 0.02, drawn="drawn.parquet") for s in (0, 1)]
    cells += [cell("vae", s, 0.2, density="bound", drawn="drawn.parquet") for s in (0, 1)]
    cells += [
        cell("gan:loss=hinge", 0, 0.4, density="none", nats=None),
        cell("gan:loss=hinge", 1, failed="it diverged"),
    ]
    return comparison(cells, kind, folder=folder, unfit={"ngram": "it takes texts"}, **more)


def check_alone(page):
    """Raise unless everything the page shows is in it."""
    tree = parsed(page)
    for element in tree.iter():
        assert element.tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "image", "use"}
        for key, value in element.attrib.items():
            assert not key.lower().startswith("on"), key
            if key in {"href", "src", "srcset", "action", "data", "poster", "background"}:
                assert value.startswith(("#", "data:image/png;base64,")), value
            assert "url(" not in value
    style = "".join(element.text or "" for element in tree.iter("style"))
    assert not re.search(r"url\(|@import|https?:|expression", style)
    anchors = {element.get("id") for element in tree.iter() if element.get("id")}
    ways = {element.get("href")[1:] for element in tree.iter("a")}
    assert ways <= anchors
    return tree


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_from_outside_is_needed(kind, folder):
    check_alone(html(full(kind, folder(kind))))


def test_a_page_that_calls_out_is_caught():
    page = html(full())
    for bad in ('<img src="https://a.b/c.png" alt="" />', "<script>1</script>", '<p onclick="1">a</p>'):
        with pytest.raises(AssertionError):
            check_alone(page.replace("<footer>", bad + "<footer>"))


def test_no_name_becomes_markup(folder):
    bad = comparison(
        [cell(HOSTILE, 0, drawn="drawn.parquet"), cell("b", 0, 0.3), cell("c", 0, failed=HOSTILE)],
        folder=folder("table"), unfit={HOSTILE: HOSTILE}, greyed={"coverage": HOSTILE},
        sensitivity={HOSTILE: {HOSTILE: HOSTILE}}, guidance={HOSTILE: {HOSTILE: {HOSTILE: HOSTILE}}},
        controls={"held-out reals": {"two-sample": one(0.5), HOSTILE: HOSTILE}, HOSTILE: {"two-sample": HOSTILE}},
    )  # fmt: skip
    bad.data.update(name=HOSTILE, target=HOSTILE, given=[HOSTILE], fields=[[HOSTILE, HOSTILE]])
    bad.setting.update(command=HOSTILE, machine=HOSTILE, date=HOSTILE, versions={HOSTILE: HOSTILE})
    for each in bad.cells[:2]:
        each.facts.update(alarms=[HOSTILE], holds=HOSTILE)
        each.found["column shapes"].detail["columns"][HOSTILE] = 0.5
        each.found["pair trends"].detail["pairs"][(HOSTILE, "town")] = 0.5
        each.found["two-sample"].detail["importance"][HOSTILE] = 0.5
    tree = check_alone(html(bad))
    assert said(tree).count('<script>alert("1")</script>&') > 20


def test_hostile_columns_and_levels(tmp_path):
    import pushforward as pf

    rows = pf.read({"<b>x</b>": ["<script>", '"><img src=x onerror=1>'] * 30, "</svg>": list(range(60))})
    for name in ("held", "drawn"):
        rows.save(tmp_path / f"{name}.parquet")
    tree = check_alone(html(full(folder=tmp_path)))
    assert "<b>x</b>" in said(tree) and "<script>" in said(tree) and "</svg>" in said(tree)


def test_nothing_that_was_found_is_left_out(folder):
    controls = {name: {"two-sample": one(0.5)} for name in ("held-out reals", "training copies")}
    it = full(folder=folder("table"), greyed={"membership": "no control is told"}, controls=controls)
    text = said(parsed(html(it)))
    for words in ("tree-mixture", "vae", "gan:loss=hinge", *it.metrics, "it diverged", "ngram", "it takes texts",
                  "the judge needs a category of two levels", "no control is told", "an abacus", "pushforward 9.9",
                  "pushforward compare people.csv", "0, 1", "2030-01-01", "it has no log-likelihood"):  # fmt: skip
        assert words in text, words


def test_numbers_are_those_that_were_measured():
    tree = parsed(html(full()))
    table = next(t for t in tree.iter("table") if t.get("class") == "metrics")
    heads = [said(th).split(" ideal")[0] for th in table.find("thead").iter("th")]
    row = next(tr for tr in table.find("tbody").iter("tr") if said(tr.find("th")) == "tree-mixture")
    shown = [said(td.find("span")) for td in row.iter("td") if td.find("span") is not None]
    assert any(head.startswith("two-sample") for head in heads)
    assert float(shown[1]) == pytest.approx(0.51, abs=0.005)
    assert shown[0].startswith("−20")


def test_bounds_and_estimates_are_marked():
    cells = [cell("e", density="exact"), cell("b", density="bound"), cell("s", density="estimate")]
    tree = parsed(html(comparison(cells)))
    table = next(t for t in tree.iter("table") if t.get("class") == "metrics")
    nats = {said(tr.find("th")): said(tr.find("td").find("span")) for tr in table.find("tbody").iter("tr")}
    assert nats["b"].startswith("≥") and nats["s"].startswith("≈") and nats["e"].startswith("−")


def test_models_stand_in_order_of_merit_and_failed_ones_last():
    cells = [cell("worse", gap=0.3), cell("broken", failed="no memory"), cell("better", gap=0.01)]
    table = next(parsed(html(comparison(cells))).iter("table"))
    assert [said(tr.find("th")) for tr in table.find("tbody").iter("tr")] == ["better", "worse", "broken"]


def test_only_what_is_clear_of_the_rest_is_bold():
    cells = [cell("a", s, gap=g) for s in (0, 1) for g in (0.01,)] + [cell("b", s, gap=0.5) for s in (0, 1)]
    table = next(parsed(html(comparison(cells))).iter("table"))
    best = {
        said(tr.find("th")): sum(td.get("class") == "best" for td in tr.iter("td"))
        for tr in table.find("tbody").iter("tr")
    }
    assert best["a"] >= 4 and best["b"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_has_one_colour_throughout(kind, folder):
    colours = {}
    for span in parsed(html(full(kind, folder(kind)))).iter("span"):
        if (span.get("class") or "").startswith("model m"):
            colours.setdefault(said(span), set()).add(span.get("class").split()[1])
    assert {name: len(each) for name, each in colours.items()} == {"tree-mixture": 1, "vae": 1, "gan:loss=hinge": 1}
    assert len(set().union(*colours.values())) == 3


def test_more_models_than_colours_are_told_apart_by_shape():
    tree = parsed(html(comparison([cell(f"model{i}", gap=0.01 * i) for i in range(23)])))
    looks = {
        said(s): (s.get("class"), s.find("i").get("class"))
        for s in tree.iter("span")
        if "model m" in (s.get("class") or "")
    }
    assert len(looks) == len(set(looks.values())) == 23


def test_samples_are_shown_by_what_they_are(folder):
    pictures = parsed(html(full("pictures", folder("pictures"))))
    assert [i.get("alt") for i in pictures.iter("img")] == [
        "24 pictures: held-out records", "24 pictures: tree-mixture", "24 pictures: vae"]  # fmt: skip
    texts = parsed(html(full("texts", folder("texts"))))
    assert len(list(texts.iter("blockquote"))) == 12 and "line 0 says" in said(texts)
    text = said(parsed(html(full("table", folder("table")))))
    assert "height of vae over that of held-out records" in text and "Pairs of columns" in text


def test_charts_have_words():
    tree = parsed(html(full()))
    charts = list(tree.iter("svg"))
    assert charts and all(c.get("role") == "img" and said(c.find("title")) for c in charts)


def test_privacy_is_never_promised():
    text = said(parsed(html(full())))
    assert "No evidence of copying was found by these tests" in text and "nothing here is a guarantee" in text
    flagged = full()
    flagged.cells[0].found["copies"] = flagged.cells[1].found["copies"] = one(
        0.4, flag=True, ideal=0.0, words="40% are rows"
    )
    text = said(parsed(html(flagged)))
    assert "Evidence of copying was found:" in text and "40% are rows" in text and "No evidence" not in text


def test_where_no_test_can_find_copies_nothing_is_known():
    greyed = {"copies": "too few", "membership": "too few"}
    text = said(parsed(html(full(greyed=greyed))))
    assert "nothing is known" in text and "No evidence" not in text


def test_the_answer_comes_first():
    tree = parsed(html(full()))
    head = next(tree.iter("h1"))
    model, why = full().winner()
    assert said(head) == f"For people: {model or 'no clear winner'}" or "between" in said(head)
    assert why.removeprefix("no clear winner: ") in said(tree)
    assert next(e.tag for e in next(tree.iter("main"))) == "header"


def test_one_cell():
    text = said(check_alone(html(comparison([cell("vae")]))))
    assert "vae" in text and "1 seed" in text


def test_all_failed():
    cells = [cell("vae", s, failed="it ran out of memory", found={}, nats=None, cost={}) for s in (0, 1)]
    text = said(check_alone(html(comparison(cells))))
    assert "no model was fitted" in text and "it ran out of memory" in text


def test_no_cells_and_no_words():
    text = said(check_alone(html(comparison([], unfit={"vae": "no field is left"}))))
    assert "no field is left" in text


def test_what_cannot_be_drawn_is_left_out(tmp_path):
    wild = {"two-sample": one(0.6), "coverage": Measured(0.6, float("-inf"), float("inf"), "lower", 0.5)}
    wild["unheard of"] = one(1e12)
    check_alone(html(comparison([cell("a", found=wild), cell("b", found={"two-sample": "too few"})], folder=tmp_path)))


def test_no_file_outside_the_folder_is_read(tmp_path, folder):
    inside = folder("table")
    (inside / "deeper").mkdir()
    (inside / "held.parquet").rename(inside / "deeper" / "held.parquet")
    it = comparison([cell("a", drawn="../drawn.parquet")], folder=inside / "deeper")
    assert 'id="samples"' not in html(it)


def test_damaged_draws_do_not_spoil_the_page(folder):
    place = folder("table")
    (place / "drawn.parquet").write_bytes(b"PAR1")
    page = html(full(folder=place))
    assert "tree-mixture" in page and 'id="samples"' not in page


def test_the_same_comparison_is_the_same_page(folder):
    it = full("table", folder("table"))
    assert html(it) == html(it)


def test_no_plotting_library_is_needed():
    code = (
        "import sys; from pushforward.compare.report import html\n"
        "from pushforward.compare.result import Cell, Comparison\n"
        "html(Comparison({}, {}, (Cell('a', 0, failed='b'),))); sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
