"""Elements of HTML and SVG: what is not an element already is escaped, so that no name of a field becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

VOID = frozenset({"br", "hr", "img", "meta", "col"})
UNSPEAKABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what no page may hold


class Safe(str):
    """Markup that was made here."""

    __slots__ = ()


Child = str | float | None | Iterable["Child"]
Attribute = str | float | bool | None


def text(value: object) -> Safe:
    """A value as text of a page; characters that a page may not hold are shown as unknown ones.

    >>> text("<b> & \\x00")
    '&lt;b&gt; &amp; �'
    """
    if isinstance(value, Safe):
        return value
    return Safe(html.escape(UNSPEAKABLE.sub("\ufffd", re.sub("\r\n?", "\n", str(value)))))


def el(name: str, /, *children: Child, **attributes: Attribute) -> Safe:
    """An element around its children, well-formed as HTML and as XML.

    Args:
        name: of the element.
        children: elements, text, or sequences of them; None is nothing.
        attributes: ``class_`` is ``class``, and each ``_`` within a name is ``-``; None and False leave one out.

    >>> el("p", "a < b", el("br"), class_="note", aria_label='"x"')
    '<p class="note" aria-label="&quot;x&quot;">a &lt; b<br /></p>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{"" if value is True else text(_written(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Safe(f"<{name}{said} />" if name in VOID else f"<{name}{said}>{join(*children)}</{name}>")


def join(*children: Child) -> Safe:
    """Children one after another, without an element around them.

    >>> join("a & b", [el("i", 1), None])
    'a &amp; b<i>1</i>'
    """
    return Safe("".join(_flat(children)))


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str | float | int):
            yield text(child)
        else:
            yield from _flat(child)


def _written(value: Attribute) -> str:
    """A length with a tenth of a pixel, which is all that an eye sees."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
