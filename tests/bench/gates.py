"""How often the gates' intervals cover, and how often a gate is passed or failed wrongly: 2,000 samples a line.

    python -m tests.bench.gates [SAMPLES]

``truth`` is the target too, so ``PASS`` and ``FAIL`` are both wrong (each may be 2.5 %), ``covers`` is of the two-sided
95 % interval, ``width`` its mean width as a part of the range. A gate of a mean is decided by the interval's ends. The
last lines are of further looks at the same locked probes: ``any`` look's wrong PASS, which may be 5 % however often one
looks, beside what it would be if looks cost nothing. Three minutes at most.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

from studio.evaluate.intervals import Interval, Span, alpha_at, by_prompt, corrected_mean, delta, mean, rate

Draw = random.Random
Case = tuple[str, int, float, Span, Callable[[Draw], Interval | None]]
TRAIT, OVERALL, SHARE = (0.0, 2.0), (0.0, 10.0), (0.0, 1.0)
AT_GATE, CEILING = (0.15, 0.20, 0.65), (0.02, 0.08, 0.90)
LEVELS = {True: (0.05, 0.1, 0.85), False: (0.25, 0.3, 0.45)}
"""Chances of marks on an easy prompt and on a hard one, 1.5 on average."""
WORSE = {False: (0.05, 0.15, 0.80), True: (0.4, 0.4, 0.2)}
BETTER = {False: (0.02, 0.08, 0.90), True: (0.3, 0.4, 0.3)}


def scores(draw: Draw, n: int, chances: tuple[float, ...]) -> list[float]:
    return [float(value) for value in draw.choices(range(len(chances)), chances, k=n)]


def trait(n: int, chances: tuple[float, ...], name: str) -> Case:
    truth = sum(score * chance for score, chance in enumerate(chances))
    return name, n, truth, TRAIT, lambda draw: mean(scores(draw, n, chances), TRAIT)


def overall(n: int) -> Case:
    """The mean of five trait scores of one level a reply, as a total."""

    def sample(draw: Draw) -> Interval | None:
        return mean([total(draw) for _ in range(n)], OVERALL)

    return "overall", n, _mean_of(total, 200_000), OVERALL, sample


def total(draw: Draw) -> float:
    chances = draw.choice([(0.05, 0.15, 0.8), (0.3, 0.4, 0.3)])
    return sum(scores(draw, 5, chances))


def win_rate(n: int, ties: float) -> Case:
    """A true win rate of .70."""
    chances = (0.3 - ties / 2, ties, 0.7 - ties / 2)
    return (
        f"win rate, {ties:.0%} ties",
        n,
        0.7,
        SHARE,
        lambda draw: mean([value / 2 for value in scores(draw, n, chances)], SHARE),
    )


def share(n: int, truth: float) -> Case:
    return f"rate of {truth:g}", n, truth, SHARE, lambda draw: rate(sum(draw.random() < truth for _ in range(n)), n)


def clusters(prompts: int, replies: int) -> Case:
    """Scores 0, 1, 2 with an intraclass correlation of about .4: what a prompt is like decides its replies' chances."""

    def sample(draw: Draw) -> Interval | None:
        found = []
        for prompt in range(prompts):
            easy = draw.random() < 0.65
            found += [
                (str(prompt), score)
                for score in scores(draw, replies, (0.02, 0.1, 0.88) if easy else (0.4, 0.35, 0.25))
            ]
        return mean(list(by_prompt(found).values()), TRAIT)

    truth = 0.65 * (0.1 + 1.76) + 0.35 * (0.35 + 0.5)
    return f"{replies} replies a prompt", prompts, truth, TRAIT, sample


def paired(n: int) -> Case:
    """Base and tuned on the same prompts; the span is that of a difference."""

    def sample(draw: Draw) -> Interval | None:
        pairs = []
        for _ in range(n):
            level = draw.gauss(5, 1.5)
            pairs.append((level + draw.gauss(0, 1), level + 1 + draw.gauss(0, 1)))
        return delta(pairs, seed=draw.randrange(2**32))

    return "paired difference", n, 1.0, (-10.0, 10.0), sample


def paired_marks(n: int, better: float, worse: float) -> Case:
    """Two runs' trait marks of the same prompts: most are the same, some go up by one, fewer down."""

    def sample(draw: Draw) -> Interval | None:
        pairs = [(1.0, 1.0 + draw.choices((1, 0, -1), (better, 1 - better - worse, worse))[0]) for _ in range(n)]
        return delta(pairs, seed=draw.randrange(2**32), span=(-2.0, 2.0))

    return f"paired marks +{better:.0%} -{worse:.0%}", n, better - worse, (-2.0, 2.0), sample


def paired_totals(n: int) -> Case:
    """Two runs' overall scores of the same prompts near the ceiling, where differences are skewed."""

    def sample(draw: Draw) -> Interval | None:
        pairs = []
        for _ in range(n):
            hard = draw.random() < 0.3
            before, after = (sum(scores(draw, 5, of)) for of in (WORSE[hard], BETTER[hard]))
            pairs.append((before, after))
        return delta(pairs, seed=draw.randrange(2**32), span=(-10.0, 10.0))

    truth = 5 * sum(
        part * sum(at * (b - a) for at, (a, b) in enumerate(zip(WORSE[hard], BETTER[hard], strict=True)))
        for hard, part in ((True, 0.3), (False, 0.7))
    )
    return "paired totals, ceiling", n, truth, (-10.0, 10.0), sample


def looks(n: int, times: int, samples: int) -> str:
    """Runs of one quality, at the gate, on the same locked prompts, whose levels all of them share."""
    draw, any_paid, any_free = Draw(f"looks {n} {times}"), 0, 0
    for _ in range(samples):
        levels = [draw.random() < 0.5 for _ in range(n)]
        runs = [[float(draw.choices((0, 1, 2), LEVELS[one])[0]) for one in levels] for _ in range(times)]
        paid = [mean(values, TRAIT, alpha_at(look)) for look, values in enumerate(runs, 1)]
        any_paid += any(one is not None and one.low >= 1.5 for one in paid)
        any_free += any(one is not None and one.low >= 1.5 for one in (mean(values, TRAIT) for values in runs))
    name = f"any of {times} looks"
    return f"{name:<24}{n:>5}{1.5:>8.2f}{'':>8}{any_paid / samples:>8.3f}  not paid for: {any_free / samples:.3f}"


def corrected(n: int, others: int, chances: tuple[float, ...], right: float, name: str) -> Case:
    """People's scores, of ``n`` prompts, and a judge's, of all: it says the same in ``right``, else anything, half a
    point too much in each."""

    def judged(draw: Draw, score: float) -> float:
        return (score if draw.random() < right else float(draw.choice((0, 1, 2)))) + 0.5

    def sample(draw: Draw) -> Interval | None:
        people = scores(draw, n, chances)
        rest = [judged(draw, score) for score in scores(draw, others, chances)]
        return corrected_mean([(score, judged(draw, score)) for score in people], rest, TRAIT)

    return name, n, sum(score * chance for score, chance in enumerate(chances)), TRAIT, sample


def cases() -> Iterator[Case]:
    for n in (20, 50, 60, 100):
        yield trait(n, AT_GATE, "trait at 1.5")
    for n in (20, 50, 60, 100):
        yield trait(n, CEILING, "trait, 90 % twos")
    for n in (20, 60):
        yield overall(n)
    for ties in (0.0, 0.2, 0.4):
        yield win_rate(60, ties)
    for truth in (0.02, 0.05, 0.3, 0.7, 0.95):
        yield share(60, truth)
    yield clusters(20, 5)
    yield clusters(60, 3)
    for n in (20, 40, 60):
        yield paired(n)
        yield paired_totals(n)
    for n in (20, 40, 60):
        yield paired_marks(n, 0.3, 0.2)
        yield paired_marks(n, 0.15, 0.05)
    yield paired_marks(100, 0.08, 0.04)
    for n in (50, 100):
        yield corrected(n, 400 - n, AT_GATE, 0.8, "corrected, 400 judged")
    yield corrected(60, 340, CEILING, 0.8, "corrected, 90 % twos")
    yield corrected(50, 10, AT_GATE, 0.8, "corrected, 60 judged")


def _mean_of(one: Callable[[Draw], float], size: int) -> float:
    draw = Draw(0)
    return sum(one(draw) for _ in range(size)) / size


def line(case: Case, samples: int) -> str:
    name, n, truth, span, sample = case
    draw = Draw(1)
    covers = passed = failed = 0
    width, methods = 0.0, Counter[str]()
    for _ in range(samples):
        found = sample(draw)
        assert found is not None
        covers += found.low <= truth <= found.high
        passed += found.low > truth
        failed += found.high < truth
        width += (found.high - found.low) / (span[1] - span[0]) / samples
        methods[found.method] += 1
    how = ", ".join(f"{method} {count / samples:.0%}" for method, count in methods.most_common())
    shares = "".join(f"{count / samples:>8.3f}" for count in (covers, passed, failed))
    return f"{name:<24}{n:>5}{truth:>8.2f}{shares}{width:>8.2f}  {how}"


def main() -> None:
    samples, began = int(sys.argv[1]) if len(sys.argv) > 1 else 2000, time.process_time()
    print(f"{'':<24}{'n':>5}{'truth':>8}{'covers':>8}{'PASS':>8}{'FAIL':>8}{'width':>8}  method")
    for case in cases():
        print(line(case, samples), flush=True)
    for n in (20, 60):
        for times in (1, 3, 6):
            print(looks(n, times, samples), flush=True)
    print(f"{samples} samples a line, {time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
