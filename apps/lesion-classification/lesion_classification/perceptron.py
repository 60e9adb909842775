"""The small network, learned step by step: 256-128-64-32-1, batch norm, ReLU, dropout.

    network = Perceptron(inputs, generator, rows=32)
    loss = network.step(examples, labels)       # one batch, one step of Adam
    logits = network.logits(examples)

Its derivatives are written out, into memory that is there from the beginning: of 32 examples a
step takes so little that the bookkeeping of autograd can be seen in it. The
parameters lie in one vector, so that Adam passes over them once. Draws (first
weights, dropout) are NumPy's, of a generator of the network's own: nothing that others draw, nor
how many threads there are, changes them.

The layers have no bias before batch norm, which takes it away again; its shift is the bias. What
would be left of one's derivative is rounding, along which Adam would step as far as along any.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

WIDTHS = (256, 128, 64, 32)
DROPOUT = (0.4, 0.3, 0.3, 0.2)
LEARNING_RATE = 1e-3
MOMENTUM, EPSILON = 0.1, 1e-5
"""Of batch norm, as torch has them."""

Weights = Mapping[str, npt.NDArray[np.float32]]


def shapes(inputs: int) -> dict[str, tuple[int, ...]]:
    """{name of what is learned: its shape}."""
    found: dict[str, tuple[int, ...]] = {}
    for at, (width, below) in enumerate(zip(WIDTHS, (inputs, *WIDTHS), strict=False)):
        found[f"linear{at}.weight"] = width, below
        found[f"norm{at}.weight"] = found[f"norm{at}.bias"] = (width,)
    return found | {"out.weight": (WIDTHS[-1],), "out.bias": (1,)}


class Perceptron:
    """Of `inputs` columns, for batches of at most `rows`."""

    def __init__(
        self,
        inputs: int,
        generator: np.random.Generator,
        rows: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._generator, self._dtype = generator, dtype
        sizes = {name: int(np.prod(shape)) for name, shape in shapes(inputs).items()}
        self._learned = torch.zeros(sum(sizes.values()), dtype=dtype)
        self._derivatives = torch.zeros_like(self._learned)
        self._of = dict(_views(self._learned, inputs))
        self._by = dict(_views(self._derivatives, inputs))
        self._moments = torch.zeros_like(self._learned), torch.zeros_like(self._learned)
        self._steps = torch.zeros(())
        self._running = {
            f"norm{at}.{name}": torch.full((width,), first, dtype=dtype)
            for at, width in enumerate(WIDTHS)
            for name, first in (("running_mean", 0.0), ("running_var", 1.0))
        }
        self._begin()
        # A batch on its way: what each linear layer gives, and what goes into the next.
        self._sums = [torch.empty(rows, width, dtype=dtype) for width in WIDTHS]
        self._random = np.empty((rows, sum(WIDTHS)), np.float32)
        self._kept = torch.empty(rows, sum(WIDTHS), dtype=dtype)
        rates = np.repeat(DROPOUT, WIDTHS)
        self._rates = torch.from_numpy(rates.astype(np.float32))
        self._scales = torch.from_numpy(1 / (1 - rates)).to(dtype)

    def _begin(self) -> None:
        """torch's first weights of linear layers: uniform within ± 1 / √(inputs of the layer)."""
        for name, own in self._of.items():
            if name.startswith("norm"):
                own.fill_(1.0 if name.endswith("weight") else 0.0)
                continue
            below = WIDTHS[-1] if name.startswith("out") else own.shape[1]
            bound = below**-0.5
            drawn = self._generator.random(tuple(own.shape), np.float32)
            own.copy_(torch.from_numpy(drawn).mul_(2 * bound).sub_(bound))

    @torch.no_grad()
    def step(self, examples: Tensor, labels: Tensor) -> float:
        """Learn from a batch [n, inputs], labels [n] of 0 and 1: its mean loss, before the step."""
        kept = self._draw(len(examples))
        entered, saved = [examples], []
        for at, below in enumerate(self._layers()):
            own = self._sums[at][: len(examples)]
            torch.mm(entered[-1], below.t(), out=own)
            normed, mean, inverse = torch.native_batch_norm(
                own, *self._norm(at), True, MOMENTUM, EPSILON
            )
            entered.append(normed.relu_().mul_(kept[at]))
            saved.append((mean, inverse))
        logits = torch.mv(entered[-1], self._of["out.weight"]).add_(self._of["out.bias"])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        self._differentiate(logits.sigmoid_().sub_(labels).div_(len(labels)), entered, saved, kept)
        self._adam()
        return float(loss)

    def _adam(self) -> None:
        """What torch.optim.Adam(fused=True) calls, which imports torch's compiler for a second."""
        first, second = self._moments
        torch._fused_adam_(
            [self._learned], [self._derivatives], [first], [second], [], [self._steps.add_(1)],
            lr=LEARNING_RATE, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8,
            amsgrad=False, maximize=False,
        )  # fmt: skip

    def _draw(self, rows: int) -> list[Tensor]:
        """What dropout multiplies each layer's units by: 0, or 1 / (1 − rate)."""
        drawn = self._generator.random(dtype=np.float32, out=self._random[:rows])
        kept = self._kept[:rows]
        torch.ge(torch.from_numpy(drawn), self._rates, out=kept).mul_(self._scales)
        return list(kept.split(WIDTHS, dim=1))

    def _differentiate(
        self,
        by_logits: Tensor,
        entered: list[Tensor],
        saved: list[tuple[Tensor, Tensor]],
        kept: list[Tensor],
    ) -> None:
        torch.mv(entered[-1].t(), by_logits, out=self._by["out.weight"])
        torch.sum(by_logits, 0, keepdim=True, out=self._by["out.bias"])
        by_output = torch.outer(by_logits, self._of["out.weight"])
        for at in reversed(range(len(WIDTHS))):
            # Where a unit is 0, it was dropped or below 0: no derivative goes through.
            by_normed = torch.ops.aten.threshold_backward(
                by_output.mul_(kept[at]), entered[at + 1], 0
            )
            weight, _, running_mean, running_var = self._norm(at)
            by_sums, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
                by_normed, self._sums[at][: len(by_normed)], weight, running_mean, running_var,
                *saved[at], True, EPSILON, [True, True, True],
            )  # fmt: skip
            self._by[f"norm{at}.weight"].copy_(by_weight)
            self._by[f"norm{at}.bias"].copy_(by_bias)
            torch.mm(by_sums.t(), entered[at], out=self._by[f"linear{at}.weight"])
            if at:
                by_output = torch.mm(by_sums, self._of[f"linear{at}.weight"])

    @torch.no_grad()
    def logits(self, examples: Tensor) -> Tensor:
        """Of any number of examples, after learning: nothing dropped, batch norm by its means."""
        for at, below in enumerate(self._layers()):
            weight, bias, mean, variance = self._norm(at)
            examples = torch.nn.functional.batch_norm(
                examples @ below.t(), mean, variance, weight, bias, False, MOMENTUM, EPSILON
            ).relu_()
        return torch.mv(examples, self._of["out.weight"]).add_(self._of["out.bias"])

    def weights(self) -> Weights:
        """All that `logits` depends on, by name."""
        return {name: own.numpy().copy() for name, own in (self._of | self._running).items()}

    def _layers(self) -> Iterator[Tensor]:
        return (self._of[f"linear{at}.weight"] for at in range(len(WIDTHS)))

    def _norm(self, at: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        name = f"norm{at}"
        return (
            self._of[f"{name}.weight"],
            self._of[f"{name}.bias"],
            self._running[f"{name}.running_mean"],
            self._running[f"{name}.running_var"],
        )


def _views(flat: Tensor, inputs: int) -> Iterator[tuple[str, Tensor]]:
    start = 0
    for name, shape in shapes(inputs).items():
        stop = start + int(np.prod(shape))
        yield name, flat[start:stop].view(shape)
        start = stop
