"""What models draw, beside what is real: pictures, columns, pairs of columns, texts."""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa
from PIL import Image as Pillow

from pushforward.compare.report import columns
from pushforward.compare.report.blocks import note
from pushforward.compare.report.elements import Safe, el, join
from pushforward.compare.report.view import View
from pushforward.compare.report.words import clipped
from pushforward.data import Category, Image, Records, Text, pictures
from pushforward.data.sheet import contact_sheet

TITLE = "Samples"
PICTURES, ACROSS, SHARPEST = 24, 6, 900  # pictures of a sheet, pictures a row, pixels of a sheet's longest side
TEXTS, LETTERS = 4, 220


def samples(view: View) -> Safe | None:
    """Drawn records beside held-out ones, in the ways in which their fields can be looked at."""
    if view.held is None or not view.drawn:
        return None
    real = view.held
    parts = [
        _sheets(view, real) if real.schema.of_kind(Image) else None,
        columns.marginals(view, real),
        columns.pairs(view, real),
        _texts(view, real) if real.schema.of_kind(Text) else None,
    ]
    words = "Of each model the draws of its first seed, beside held-out records that no model has seen."
    return join(note(words), parts) if any(parts) else None


def _sheets(view: View, real: Records) -> Safe:
    figures = [_sheet("held-out records", el("span", "Real, held out", class_="model real"), real)]
    figures += [_sheet(model, view.name(model), drawn) for model, drawn in view.drawn.items()]
    return join(el("h3", "Pictures"), el("div", figures, class_="grid sheets"))


def _sheet(words: str, name: Safe, records: Records) -> Safe:
    """A contact sheet as a picture within the page, sorted by the category beside pictures, if it is one."""
    shown = records[:PICTURES]
    categories = shown.schema.of_kind(Category)
    if len(categories) == 1:
        shown = shown.take(
            np.argsort(
                np.array(shown.column(categories[0].name).cast(pa.string()).fill_null("").to_pylist()), kind="stable"
            )
        )
    sheet = contact_sheet(shown, ACROSS)
    if max(sheet.size) > SHARPEST:
        sheet.thumbnail((SHARPEST, SHARPEST), Pillow.Resampling.LANCZOS)
    code = base64.b64encode(pictures.packed(sheet)).decode()
    image = el("img", src=f"data:image/png;base64,{code}", alt=f"{len(shown)} pictures: {words}",
               width=sheet.width, height=sheet.height)  # fmt: skip
    return el("figure", image, el("figcaption", name))


def _texts(view: View, real: Records) -> Safe:
    name = real.schema.of_kind(Text)[0].name
    cards = [_lines(el("span", "Real, held out", class_="model real"), real, name)]
    cards += [_lines(view.name(model), drawn, name) for model, drawn in view.drawn.items() if name in drawn.names]
    return join(el("h3", "Texts"), el("div", cards, class_="grid texts"))


def _lines(title: Safe, records: Records, name: str) -> Safe:
    said = [text for text in records.column(name).slice(0, 4 * TEXTS).to_pylist() if text][:TEXTS]
    items = [el("blockquote", clipped(text, LETTERS)) for text in said] or [el("p", "no text", class_="muted")]
    return el("figure", el("figcaption", title), items)
