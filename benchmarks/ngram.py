"""Counting 5-grams of 20 million characters beside polars, torch and nltk; memory of a stream; perplexities.

Run with ``python benchmarks/ngram.py TEXT``, where TEXT is a plain text file of some hundred thousand characters.
From an n-gram model of it a corpus is drawn that is as long as wanted. Perplexities are those of the last tenth of
TEXT for models of the first nine, beside nltk's Kneser-Ney (one discount) and the textbook algorithm that the tests
keep in dictionaries (three, as KenLM estimates them). It exits with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

import pushforward as pf
from pushforward.counts.ngrams.counting import Counter
from pushforward.counts.ngrams.kneser_ney import Tree
from pushforward.counts.ngrams.language import Language
from pushforward.counts.ngrams.vocabulary import Characters, stream_of

ORDER = 5
SECONDS, FLAT, CLOSE = 1.0, 1.1, 0.01  # the bars: seconds, ratio of peaks, relative difference of perplexities
EVENTS = 300  # characters that nltk scores; each takes it as long as it has contexts
NLTK = 1_000_000  # characters that nltk counts; the time for all follows by proportion


def corpus(path: Path, characters: int) -> pa.Array:
    """Texts as long as wanted together, drawn from a 4-gram model of a file."""
    model, texts, size, seed = pf.NGram(order=4).fit(pf.read(path)), [], 0, 0
    while size < characters:
        drawn = model.sample(20_000, seed=seed, longest=2000).column("text").combine_chunks()
        texts.append(drawn)
        size += pa.compute.sum(pa.compute.utf8_length(drawn)).as_py()
        seed += 1
    whole = pa.concat_arrays(texts)
    lengths = np.cumsum(pa.compute.utf8_length(whole).to_numpy())
    return whole[: int(np.searchsorted(lengths, characters)) + 1]


def timed(work: Callable[[], object], repeat: int = 5) -> float:
    """Median seconds."""
    out = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        out.append(time.perf_counter() - start)
    return statistics.median(out)


def ours(texts: pa.Array) -> Counter:
    """From strings to the table of counts."""
    vocabulary, counter = Characters(), Counter(ORDER)
    counter.add(stream_of(*vocabulary.learn(texts))[1:])
    counter.merge()
    return counter


def speed(texts: pa.Array) -> bool:
    """Seconds of each, and whether ours is within the bar."""
    import nltk
    import polars as pl

    stream = stream_of(*Characters().learn(texts)).astype(np.int64)
    keys = sum(stream[i : len(stream) - ORDER + 1 + i] << (7 * (ORDER - 1 - i)) for i in range(ORDER))
    whole = " ".join(texts.slice(0, 20_000).to_pylist())[:NLTK]
    counter = ours(texts)
    print(f"{len(stream):,} characters in {len(texts):,} texts, {counter.counts.size:,} different 5-grams")
    seconds = timed(lambda: ours(texts))
    records = pf.read(pa.table({"text": texts}), text=["text"])
    rows = {
        "ours, from strings to a sorted table of counts": seconds,
        "ours, the whole fit (with smoothing)": timed(lambda: pf.NGram(order=ORDER).fit(records), 3),
        "polars, group_by of packed keys": timed(lambda: pl.DataFrame({"k": keys}).group_by("k").len()),
        "torch, sort and unique_consecutive of packed keys": timed(
            lambda: torch.unique_consecutive(torch.from_numpy(keys).sort()[0], return_counts=True), 3
        ),
        f"nltk, FreqDist of ngrams (× {len(stream) / NLTK:.0f} from {NLTK:,} characters)": timed(
            lambda: nltk.FreqDist(nltk.ngrams(whole, ORDER)), 1
        )
        * len(stream)
        / NLTK,
    }
    for name, value in rows.items():
        print(f"  {name:75} {value:8.2f} s")
    return seconds <= SECONDS


def peak(path: Path) -> None:
    """Fit from a scan, and print the peak of the resident size in MiB; in a process of its own."""
    pf.NGram(order=ORDER).fit(pf.scan(path, text=["text"]))
    # not ru_maxrss, which a process inherits from the one that starts it
    lines = Path("/proc/self/status").read_text().splitlines()
    print(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024)


def memory(texts: pa.Array, times: tuple[int, int]) -> bool:
    """Peaks of fits from a stream of the corpus once and several times; whether they are the same."""
    peaks = []
    for many in times:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "texts.parquet"
            with pq.ParquetWriter(path, pa.schema([("text", pa.string())])) as writer:
                for _ in range(many):
                    writer.write_table(pa.table({"text": texts}))
            out = subprocess.run([sys.executable, __file__, "--peak", str(path)], capture_output=True, text=True)
        peaks.append(int(out.stdout))
        print(f"  peak of the resident size, the corpus {many} times from a scan: {peaks[-1]:,} MiB")
    return peaks[1] <= FLAT * peaks[0]


def perplexities(path: Path) -> bool:
    """Of the last tenth of a file; whether ours are those of the others."""
    from nltk.lm import KneserNeyInterpolated
    from nltk.lm.preprocessing import padded_everygram_pipeline

    texts = pf.read(path).column("text").to_pylist()
    cut = len(texts) * 9 // 10
    seen, held = texts[:cut], texts[cut:]
    known = {c for text in seen for c in text}
    held = ["".join(c for c in text if c in known) for text in held]
    model = pf.NGram(order=ORDER).fit(pf.read({"text": seen}, text=["text"]))
    data = pf.read({"text": held}, text=["text"])
    symbols = sum(len(text) + 1 for text in held)
    mine = float(np.exp(-model.log_prob(data).sum() / symbols))
    book = _textbook().ModifiedKneserNey(seen, ORDER)
    log = [np.log(book.p(w, ["<s>", *t[:i]][-4:])) for t in held for i, w in enumerate([*t, "</s>"])]
    theirs = float(np.exp(-np.mean(log)))
    print(f"  modified Kneser-Ney, {symbols:,} held-out characters: {mine:.6f}, the textbook {theirs:.6f}")
    good = abs(mine / theirs - 1) <= CLOSE
    for order in (3, ORDER):
        fixed = _one_discount(seen, order, 0.75)
        nltk_model = KneserNeyInterpolated(order, discount=0.75)
        nltk_model.fit(*padded_everygram_pipeline(order, [list(text) for text in seen]))
        rng, events = np.random.default_rng(0), []
        while len(events) < EVENTS:  # beyond the beginnings, which nltk pads with several symbols
            text = held[rng.integers(len(held))]
            if len(text) > ORDER:
                at = int(rng.integers(ORDER, len(text)))
                events.append((text[at], text[at - order + 1 : at]))
        mine, theirs = (
            float(np.exp(-np.mean([np.log(score(w, context)) for w, context in events])))
            for score in (fixed, lambda w, context: nltk_model.score(w, list(context)))  # noqa: B023
        )
        print(f"  one discount of 0.75, order {order}, {EVENTS} characters: {mine:.4f}, nltk {theirs:.4f}")
        good &= abs(mine / theirs - 1) <= CLOSE
    return good


def _one_discount(texts: list[str], order: int, d: float) -> Callable[[str, str], float]:
    """p(character | context) of our mathematics with one discount for all counts."""
    vocabulary, counter = Characters(), Counter(order)
    counter.add(stream_of(*vocabulary.learn(pa.array(texts)))[1:])
    rows, counts = counter.table()
    tree = Tree.grown(
        np.zeros(len(rows), int), rows[:, 1:], counts, size=len(vocabulary), roots=1, discount=lambda _: (d, d, d)
    )
    language = Language(tree)

    def score(symbol: str, context: str) -> float:
        codes = vocabulary.read(pa.array([context + symbol]))[0].astype(np.int64)
        return float(language.distributions(language.contexts(codes[None, :-1], None))[0, codes[-1]])

    return score


def _textbook() -> Any:
    path = Path(__file__).parents[1] / "tests" / "counts" / "ngrams" / "textbook.py"
    spec = importlib.util.spec_from_file_location("textbook", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path, help="a plain text file")
    parser.add_argument("--characters", type=int, default=20_000_000)
    parser.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(options.text)
        return 0
    good = perplexities(options.text)
    texts = corpus(options.text, options.characters)
    good &= speed(texts)
    good &= memory(texts, (1, 4))
    print("all bars are reached" if good else "a bar is missed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
