"""What an answer of a search must not be: chance, or a configuration that nobody asked for.

The paper printed both. All its 16 networks ended at 0.08 … 0.11 of ten classes, and the best
configuration that it reports has a dropout of 0.0, which no trial had.
"""

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

from hyperparameter_tuning.jobs import AT_CHANCE, DIVERGED, Configuration, Step, Trial
from hyperparameter_tuning.register import best, best_configuration
from hyperparameter_tuning.space import Space

ERROR = 0.05


def interval(right: int, count: int, looks: int = 1) -> tuple[float, float]:
    """95 % of a share: Wilson 1927. `looks`: of so many shares this is the best (Bonferroni)."""
    z2 = NormalDist().inv_cdf(1 - ERROR / (2 * looks)) ** 2
    share = right / count
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    spread = share * (1 - share) / count + z2 / (4 * count**2)
    half = math.sqrt(z2 * spread) / (1 + z2 / count)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def at_chance(accuracy: float | None, count: int, chance: float, looks: int = 1) -> bool:
    """Whether an accuracy on `count` rows may be chance; one that is not known is.

    It is not where so many right rows or more come by guessing once in forty times at most, looked
    at `looks` times (the binomial tail, exactly; Bonferroni)."""
    if accuracy is None:
        return True
    return _tail(round(accuracy * count), count, chance) > ERROR / 2 / looks


def _tail(right: int, count: int, share: float) -> float:
    """The probability of `right` or more of `count`, each with this one."""
    if right <= 0 or share >= 1:
        return 1.0
    logs = [
        math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        + k * math.log(share) + (count - k) * math.log1p(-share)
        for k in range(right, count + 1)
    ]  # fmt: skip
    return math.fsum(map(math.exp, logs))


def by_score(step: Step) -> float | None:
    """A network's score is its accuracy."""
    return step.score


def by_error(step: Step) -> float | None:
    """Boosted trees are scored by log-loss; their share of wrong rows is a figure beside."""
    error = step.figures.get("error")
    return None if error is None else 1 - error


def flag(
    trials: Sequence[Trial],
    count: int,
    chance: float,
    accuracy: Callable[[Step], float | None] = by_score,
) -> list[int]:
    """Say of each trial that it is at chance, if it is; the numbers of those.

    `accuracy` is that on the `count` validation rows. A trial's best one counts, judged as one of
    all that the search has looked at: of hundreds at chance, some look better than it.
    """
    found = {
        trial.number: [one for step in trial.history if (one := accuracy(step)) is not None]
        for trial in trials
    }
    looks = max(sum(map(len, found.values())), 1)
    flagged = []
    for trial in trials:
        best_one = max(found[trial.number], default=None)
        if trial.history and at_chance(best_one, count, chance, looks):
            flagged.append(trial.number)
            trial.status = trial.status if trial.status == DIVERGED else AT_CHANCE
    return flagged


def faults(
    trials: Sequence[Trial],
    reported: Configuration | None,
    space: Space | None,
    allowed: Sequence[Configuration] = (),
) -> list[str]:
    """What is wrong with a search's best configuration; nothing where it is as it must be.

    `allowed`: the points of a grid, or a default, in place of a space.
    """
    if reported is None:
        return ["no trial left a model"]
    found = space.outside(reported) if space is not None else []
    if allowed and not any(dict(one) == dict(reported) for one in allowed):
        found.append(f"{dict(reported)} was not to be tried")
    leader = best(trials)
    if leader is None:
        return [*found, "no trial has a score"]
    if dict(best_configuration(leader)) != dict(reported):
        found.append(
            f"the best trial, {leader.number}, was trained with"
            f" {dict(best_configuration(leader))}, not with {dict(reported)}"
        )
    return found
