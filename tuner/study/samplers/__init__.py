"""Samplers by name, with settings, seeded by ticket."""

from __future__ import annotations

from tuner.study.samplers.specs import CANDIDATE_SAMPLERS as CANDIDATE_SAMPLERS
from tuner.study.samplers.specs import EXHAUSTIVE_SAMPLERS as EXHAUSTIVE_SAMPLERS
from tuner.study.samplers.specs import MODEL_SAMPLERS as MODEL_SAMPLERS
from tuner.study.samplers.specs import SAMPLERS as SAMPLERS
from tuner.study.samplers.specs import SamplerSpec as SamplerSpec
