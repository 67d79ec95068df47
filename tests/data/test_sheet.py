"""Contact sheets show each picture whole, in order; notebooks show a small, safe table."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image, ImageFont

import pushforward as pf
from pushforward.data import sheet


def _cells(shown: Image.Image, columns: int, n: int, width: int, height: int, line: int) -> list[np.ndarray]:
    pixels = np.asarray(shown)
    out = []
    for i in range(n):
        top = sheet.EDGE + (i // columns) * (height + line + sheet.GAP)
        left = sheet.EDGE + (i % columns) * (width + sheet.GAP)
        out.append(pixels[top : top + height, left : left + width])
    return out


def test_pictures_are_whole_and_in_order():
    digits = pf.read("digits").select(["image"])[:10]
    shown = digits.sheet(columns=4)
    assert shown.size == (2 * 16 + 4 * 64 + 3 * 8, 2 * 16 + 3 * 64 + 2 * 8)
    for cell, pixels in zip(_cells(shown, 4, 10, 64, 64, 0), digits.to_numpy()["image"], strict=True):
        np.testing.assert_array_equal(cell[..., 0], np.kron(pixels, np.ones((8, 8))))  # whole factors, no blur


def test_a_single_category_is_written_below():
    digits = pf.read("digits")[:3]
    plain, captioned = digits.select(["image"]).sheet(), digits.sheet()
    assert captioned.height == plain.height + sheet.CAPTION
    line = np.asarray(captioned)[-sheet.EDGE - sheet.CAPTION + 1 : -sheet.EDGE]
    assert line.min() < 128
    emoji = pf.read("emoji")[:3].select(["image", "category", "subcategory"])
    assert emoji.sheet().size == emoji.select(["image"]).sheet().size  # several categories: which would it be?


def test_a_single_text_is_written_below_in_lines_of_whole_words():
    """As wide as its picture, and cut only where the last of the lines does not hold the rest."""
    shapes = pf.read("shapes")[:3].select(["image", "caption"])
    lines = sheet.LINES * sheet.LINE + sheet.LINE // 2
    assert shapes.sheet().size == (2 * 16 + 3 * 128 + 2 * 8, 2 * 16 + 128 + lines)
    font = ImageFont.load_default(size=sheet.SMALL)
    for text in (*shapes.column("caption").to_pylist(), "", "word " * 40, "x" * 400, "x" * 60 + " and so on"):
        wrapped = sheet._wrapped(text, font, 134, sheet.LINES)
        assert len(wrapped) <= sheet.LINES and all(font.getlength(line) <= 134 for line in wrapped)
        assert " ".join(wrapped) == " ".join(text.split()) or "…" in "".join(wrapped)
        assert ("…" in "".join(wrapped)) == (len(text) > 100 or "x" * 60 in text)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (3, 3), (8, 8), (16, 4), (100, 10), (12, 4)])
def test_columns_are_about_square(n, columns):
    assert pf.read(np.zeros((n, 8, 8), np.uint8)).sheet().width == 2 * 16 + columns * 72 - 8


def test_large_pictures_keep_their_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 100, 70, 3), np.uint8)
    shown = np.asarray(pf.read(pixels).sheet())
    np.testing.assert_array_equal(shown[16:116, 16:86], pixels[0])


def test_transparency_is_laid_on_white():
    pixels = np.zeros((1, 64, 64, 4), np.uint8)
    assert (np.asarray(pf.read(pixels).sheet())[20:60, 20:60] == 255).all()


def test_what_makes_no_sheet(refuses):
    digits = pf.read("digits")
    with refuses("no pictures", ".csv"):
        pf.read("penguins").sheet()
    with refuses("no records"):
        digits[:0].sheet()
    with refuses("columns=0", "at least 1"):
        digits.sheet(columns=0)
    with refuses("contact sheet of 1,797 pictures", "take fewer"):
        digits.sheet(columns=1)


def test_html_is_small_safe_and_says_the_kinds():
    records = pf.read({"<b>": ["<script>alert(1)</script>", None] * 20, "x": [1.5, 2.25] * 20})
    page = records._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page
    assert "missing" in page
    assert page.count("<tr>") == 11
    assert "40 rows" in page
    assert re.findall(r">(category|number)<", page) == ["category", "number"]


def test_html_shows_pictures():
    page = pf.read("digits")[:2]._repr_html_()
    assert page.count("data:image/png;base64,") == 2
    assert "2 rows" in page
