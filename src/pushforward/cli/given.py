"""What is held fixed, in the words of the command line, as `sample` takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pushforward.errors import ArgumentError, DataError, one_of

if TYPE_CHECKING:
    from pushforward.data import Records, Schema


def parse(said: Sequence[str], schema: Schema) -> dict[str, Any]:
    """``FIELD=VALUE`` words as values by field, each checked against its field.

    ``LOW..HIGH`` is a range, either end of which may be absent, and ``A|B`` a set.

    Raises:
        ArgumentError: a word has no ``=``, a field does not exist, or is said twice.
        DataError: a value is none of its field's.
    """
    values: dict[str, Any] = {}
    for word in said:
        name, text = _divided(word, schema)
        if name in values:
            raise ArgumentError(f"given={name!r} is said twice; say it once")
        values[name] = _value(name, text, schema)
    return values


def _divided(word: str, schema: Schema) -> tuple[str, str]:
    """Field and value; a name may hold ``=``, so the longest that is a field wins."""
    ends = [i for i, sign in enumerate(word) if sign == "="]
    if not ends:
        raise ArgumentError(f"given={word!r} must be FIELD=VALUE; {one_of(word, schema.names)}")
    end = next((i for i in reversed(ends) if word[:i] in schema), ends[0])
    if word[:end] not in schema:
        raise ArgumentError(f"given={word[:end]!r} is not a field of the model; {one_of(word[:end], schema.names)}")
    return word[:end], word[end + 1 :]


def _value(name: str, text: str, schema: Schema) -> Any:
    from pushforward.data import Category, Image, Number, as_records
    from pushforward.limits import among, between

    field = schema[name]
    if isinstance(field, Image):
        return _pixels(name, text, field)
    if isinstance(field, Number) and ".." in text:
        return between(*(_value(name, end, schema) if end else None for end in text.split("..", 1)))
    if "|" in text and (
        isinstance(field, Number) or (isinstance(field, Category) and text not in map(str, field.values))
    ):
        return among(*(_value(name, part, schema) for part in text.split("|")))
    as_records({name: [text]}, schema.select([name]))  # refuses what is none of its values
    return text


def _pixels(name: str, path: str, field: Any) -> Any:
    """The picture of a file, as pixels."""
    from pushforward.data import Image, read

    records = read(path, size=field.height if field.height == field.width else None)
    pictures = records.schema.of_kind(Image)
    if not pictures or len(records) != 1:
        raise DataError(f"given {name}={path!r} must be the path of one picture")
    return records.to_numpy()[pictures[0].name][0]


def from_file(path: str, schema: Schema) -> Records:
    """The fields that a file has as columns, a row for each record that is to be drawn.

    Raises:
        PushforwardError: it cannot be read, or a column is not a field of the model.
    """
    from pushforward.data import as_records
    from pushforward.data.sources.open import open_source

    names = next(iter(open_source(path).tables())).column_names
    for name in names:
        if name not in schema:
            raise ArgumentError(f"given-from={path!r}: {name!r} is no field of the model; {one_of(name, schema.names)}")
    return as_records(path, schema.select(names))


def levels(field: str, schema: Schema) -> tuple[Any, ...]:
    """All values of a category.

    Raises:
        ArgumentError: it is no category of the model.
    """
    from pushforward.data import Category

    known = {f.name: f for f in schema if isinstance(f, Category)}
    if field not in known:
        raise ArgumentError(f"each={field!r} is not a category of the model; {one_of(field, known)}")
    return known[field].values


def evenly(values: Sequence[Any], n: int, field: str) -> list[Any]:
    """The values in order, each as often as the others, n in all.

    Raises:
        ArgumentError: n is less than one for each.

    >>> evenly(["a", "b"], 5, "letter")
    ['a', 'a', 'a', 'b', 'b']
    """
    share, more = divmod(n, len(values))
    if share == 0:
        raise ArgumentError(f"n={n} is fewer than the {len(values)} values of {field!r}; draw at least one of each")
    return [value for i, value in enumerate(values) for _ in range(share + (i < more))]
