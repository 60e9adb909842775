"""What may be tried: a range or choices for each hyperparameter, drawn from, perturbed within.

Perturbation is that of population-based training (Jaderberg et al. 2017, section 4, `explore`):
a value times 0.8 or 1.2, cut to its range, or the neighbouring choice; now and then drawn anew.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from studykit.errors import UsageError

from hyperparameter_tuning.jobs import Configuration

FACTORS = (0.8, 1.2)
RESAMPLED = 0.25
"""Share of values that are drawn anew: that of Ray Tune's PopulationBasedTraining."""

Random = np.random.Generator


@dataclass(frozen=True)
class Uniform:
    """Real numbers low … high, evenly, or evenly in their logarithm."""

    low: float
    high: float
    logarithmic: bool = False

    def fault(self) -> str | None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            return f"there is nothing between {self.low} and {self.high}"
        if self.logarithmic and self.low <= 0:
            return f"{self.low} has no logarithm"
        return None

    def sample(self, random: Random) -> float:
        if not self.logarithmic:
            return self._cut(float(random.uniform(self.low, self.high)))
        return self._cut(math.exp(random.uniform(math.log(self.low), math.log(self.high))))

    def perturbed(self, value: float, random: Random) -> tuple[float, str]:
        factor = FACTORS[random.integers(2)]
        moved = self._cut(value * factor)
        cut = "" if moved == value * factor else f", cut to {moved:g}"
        return moved, f"× {factor}{cut}"

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def _cut(self, value: float) -> float:
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Choice:
    """One of some numbers, in their order."""

    options: tuple[float | int, ...]

    def fault(self) -> str | None:
        if not self.options:
            return "there is nothing to choose from"
        unreal = [option for option in self.options if not math.isfinite(option)]
        return f"{unreal[0]} is no number" if unreal else None

    def sample(self, random: Random) -> float | int:
        return self.options[random.integers(len(self.options))]

    def perturbed(self, value: float, random: Random) -> tuple[float | int, str]:
        step = (-1, 1)[random.integers(2)]
        at = min(max(self.options.index(value) + step, 0), len(self.options) - 1)
        return self.options[at], "the next lower" if step < 0 else "the next higher"

    def holds(self, value: float) -> bool:
        return value in self.options


Dimension = Uniform | Choice


@dataclass(frozen=True)
class Space:
    """All configurations that a search may try. UsageError where there is none."""

    dimensions: Mapping[str, Dimension]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise UsageError("the search space has no hyperparameter")
        for name, dimension in self.dimensions.items():
            fault = dimension.fault()
            if fault is not None:
                raise UsageError(f"the search space is empty: {name}: {fault}")

    def sample(self, random: Random) -> Configuration:
        return {name: dimension.sample(random) for name, dimension in self.dimensions.items()}

    def perturbed(
        self, configuration: Configuration, random: Random
    ) -> tuple[Configuration, dict[str, str]]:
        """A configuration near this one, and {hyperparameter: what was done to it}."""
        values: dict[str, float | int] = {}
        done: dict[str, str] = {}
        for name, dimension in self.dimensions.items():
            if random.random() < RESAMPLED:
                values[name], done[name] = dimension.sample(random), "drawn anew"
            else:
                values[name], done[name] = dimension.perturbed(configuration[name], random)
        return values, done

    def outside(self, configuration: Configuration) -> list[str]:
        """What of a configuration this space does not hold; nothing where it holds it."""
        missing = [f"{name}: missing" for name in self.dimensions if name not in configuration]
        foreign = [f"{name}: not searched" for name in configuration if name not in self.dimensions]
        beyond = [
            f"{name}: {configuration[name]:g} is not in {dimension}"
            for name, dimension in self.dimensions.items()
            if name in configuration and not dimension.holds(configuration[name])
        ]
        return missing + foreign + beyond

    def contains(self, configuration: Configuration) -> bool:
        return not self.outside(configuration)


def point(configuration: Configuration) -> Space:
    """The space of this one alone."""
    return Space({name: Choice((value,)) for name, value in configuration.items()})


NETWORK = Space(
    {
        "learning_rate": Uniform(1e-4, 1e-2, logarithmic=True),
        # Multiples of 32, of which a vectorised trainer makes any of them.
        "batch_size": Choice((32, 64, 128)),
        "dropout": Uniform(0.25, 0.5),
    }
)
"""The paper's ranges, section 5.4."""

NETWORK_DEFAULT: Configuration = {"learning_rate": 1e-3, "batch_size": 32, "dropout": 0.25}
"""What one takes who does not search: Adam's and Keras's defaults, the smallest dropout here."""
