"""Rotary position embeddings: how fast each pair of dimensions turns, and tables of cosines and sines."""

import math

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@frozen
class Yarn:
    """Scaling by wavelength (Peng et al. 2023, https://arxiv.org/abs/2309.00071)."""

    factor: float
    """What slow pairs are divided by."""
    trained: int
    """Positions before the model was extended."""
    fast: float = 32.0
    """Pairs that turn more often than this in the trained positions are left alone."""
    slow: float = 1.0
    """Pairs that turn less often are divided by the factor; the others are in between."""


@frozen
class Rotary:
    """How the heads of a layer are rotated."""

    dimensions: int
    """The first dimensions of a head, which are rotated."""
    base: float
    """Base of the frequencies."""
    factor: float = 1.0
    """What positions are divided by; 1 is off."""
    yarn: Yarn | None = None
    length: float = 1.0
    """Multiplies queries and keys, which scales what the softmax gets by its square."""

    @property
    def padded(self) -> int:
        """Dimensions that the kernel rotates, a multiple of 16: those that follow, by an angle of 0."""
        return -(-self.dimensions // 16) * 16

    def tables(self, positions: int, divisors: NDArray[np.float64] | None) -> tuple[FloatArray, FloatArray]:
        """Return cosines and sines, each (positions, padded / 2), of frequencies over `divisors`."""
        # In float64: float32 would leave too few digits for the fraction of a large angle.
        pairs = np.arange(self.dimensions // 2, dtype=np.float64)
        frequencies = self.base ** (-2 * pairs / self.dimensions)
        if divisors is not None:
            frequencies /= divisors
        length = self.length
        if self.yarn is not None:
            frequencies *= self._shares(self.yarn, pairs)
            # Queries and keys grow by this each, as the paper's temperature of the softmax.
            length *= 1.0 + 0.1 * math.log(max(1.0, self.yarn.factor))
        angles = np.outer(np.arange(positions, dtype=np.float64) / self.factor, frequencies)
        rest = ((0, 0), (0, (self.padded - self.dimensions) // 2))
        return (
            np.pad((length * np.cos(angles)).astype(np.float32), rest, constant_values=1),
            np.pad((length * np.sin(angles)).astype(np.float32), rest),
        )

    def _shares(self, yarn: Yarn, pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what YaRN multiplies each frequency by, from 1 / factor to 1."""
        first = max(0, math.floor(self._pair_that_turns(yarn.fast, yarn.trained)))
        last = min(self.dimensions - 1, math.ceil(self._pair_that_turns(yarn.slow, yarn.trained)))
        kept = 1 - np.clip((pairs - first) / max(0.001, last - first), 0, 1)
        shares: NDArray[np.float64] = kept + (1 - kept) / yarn.factor
        return shares

    def _pair_that_turns(self, times: float, positions: int) -> float:
        """Return the number of the pair that turns `times` times in this many positions."""
        return self.dimensions * math.log(positions / (times * 2 * math.pi)) / (2 * math.log(self.base))
