"""Modified Kneser–Ney and add-k in dictionaries, as the papers write them: slow, and sharing nothing with ours."""

from collections import Counter, defaultdict


def discounts(counts):
    """Three discounts from counts of counts."""
    times = Counter(counts)
    n = [times[j] for j in (1, 2, 3, 4)]
    if 0 in n:
        return 0.5, 1.0, 1.5
    y = n[0] / (n[0] + 2 * n[1])
    found = [j - (j + 1) * y * n[j] / n[j - 1] for j in (1, 2, 3)]
    return found if min(found) > 0 else (0.5, 1.0, 1.5)


class ModifiedKneserNey:
    """Texts are lists of symbols; '<s>' stands once before each, '</s>' after."""

    def __init__(self, texts, order, fixed=None):
        self.order, raw = order, [Counter() for _ in range(order + 1)]
        self.vocabulary = {"</s>", "<unk>", *(w for text in texts for w in text)}
        for text in texts:
            line = ["<s>", *text, "</s>"] if order > 1 else [*text, "</s>"]
            for length in range(1, order + 1):
                for i in range(len(line) - length + 1):
                    gram = tuple(line[i : i + length])
                    if gram != ("<s>",):
                        raw[length][gram] += 1
        self.adjusted = [Counter() for _ in range(order + 1)]
        self.adjusted[order] = raw[order]
        for length in range(1, order):
            before = defaultdict(set)
            for gram in raw[length + 1]:
                before[gram[1:]].add(gram[0])
            for gram, count in raw[length].items():
                self.adjusted[length][gram] = count if gram[0] == "<s>" else len(before[gram])
        self.discounts = [None] + [fixed or discounts(self.adjusted[m].values()) for m in range(1, order + 1)]
        self.after = [defaultdict(list) for _ in range(order + 1)]
        for length in range(1, order + 1):
            for gram, count in self.adjusted[length].items():
                self.after[length][gram[:-1]].append(count)

    def _discount(self, length, count):
        return self.discounts[length][min(int(count), 3) - 1] if count else 0.0

    def p(self, symbol, context):
        """p(symbol | context), a tuple of at most order - 1 symbols."""
        if symbol not in self.vocabulary:
            symbol = "<unk>"
        return self._p(symbol, tuple(context)[-(self.order - 1) :] if self.order > 1 else ())

    def _p(self, symbol, context):
        lower = self._p(symbol, context[1:]) if context else 1 / len(self.vocabulary)
        length = len(context) + 1
        counts = self.after[length][context]
        if not counts:
            return lower
        total, count = sum(counts), self.adjusted[length][(*context, symbol)]
        kept = (count - self._discount(length, count)) / total
        return kept + sum(self._discount(length, c) for c in counts) / total * lower
