"""Every random number of a study, derived from its seed by place and never by order.

A network's seed follows from (study seed, candidate, fold); a random stream follows from
(network seed, purpose, epoch). No worker number, no time, no draw that another draw depends on:
so scores are the same with one worker or many, today or after a resume.

Sources: SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014); lowbias32 (Wellons, "Prospecting for hash functions", 2018); Philox
(Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) as NumPy has it.
"""

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_MASK_64 = (1 << 64) - 1
_MASK_32 = (1 << 32) - 1
_CANDIDATE_BITS = 22
_FOLD_BITS = 10


def splitmix64(value: int) -> int:
    """One step of SplitMix64: a bijection of the 64-bit numbers that mixes every bit.

    >>> hex(splitmix64(0))
    '0xe220a8397b1dcdaf'
    """
    value = (value + 0x9E3779B97F4A7C15) & _MASK_64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK_64
    return value ^ (value >> 31)


def lowbias32(value: int) -> int:
    """A bijection of the 32-bit numbers that mixes every bit."""
    value ^= value >> 16
    value = (value * 0x7FEB352D) & _MASK_32
    value ^= value >> 15
    value = (value * 0x846CA68B) & _MASK_32
    return value ^ (value >> 16)


def network_seed(study_seed: int, candidate: int, fold: int) -> int:
    """The seed of one network: 0 <= seed < 2**32.

    `study_seed` is any integer (taken modulo 2**64), `candidate` and `fold` count from 0. It is
    hashed to a 64-bit key, and that key picks a permutation of the 32-bit numbers which is
    applied to (candidate, fold): so within a study no two networks share a seed, as long as it
    has at most 2**22 candidates and 2**10 folds.

    Raises ValueError if `candidate` or `fold` is negative.
    """
    if candidate < 0 or fold < 0:
        raise ValueError(f"candidate and fold count from 0; got {candidate} and {fold}")
    key = splitmix64(study_seed & _MASK_64)
    # Beyond the table's size the high bits pick another permutation: repeats become possible,
    # as rare as chance makes them.
    high = (candidate >> _CANDIDATE_BITS) << 32 | (fold >> _FOLD_BITS)
    key = splitmix64(key ^ high) if high else key
    low = (candidate % (1 << _CANDIDATE_BITS)) << _FOLD_BITS | fold % (1 << _FOLD_BITS)
    return lowbias32(lowbias32(low ^ (key >> 32)) ^ (key & _MASK_32))


@lru_cache(maxsize=256)
def purpose_key(purpose: str) -> int:
    """64 bits that stand for a purpose: the first 8 bytes of its SHA-256, big-endian."""
    return int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")


def stream(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """The random numbers that one network uses for one purpose in one epoch.

    Philox keyed by (hash of seed, hash of purpose), its 256-bit counter starting at
    epoch * 2**192: streams of different (seed, purpose, epoch) never overlap. Costs about 10
    microseconds, and no entropy of the system is read.
    """
    key = np.array([splitmix64(seed & _MASK_64), purpose_key(purpose)], dtype=np.uint64)
    counter = np.array([0, 0, 0, epoch], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def epoch_order(seed: int, epoch: int, rows: int) -> NDArray[np.int32]:
    """The order in which a network sees its `rows` training rows in `epoch` (from 0): a
    permutation of 0..rows-1, shape `(rows,)`, int32."""
    return stream(seed, "order", epoch).permutation(rows).astype(np.int32)
