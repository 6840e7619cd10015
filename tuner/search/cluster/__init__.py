"""Workers on a Ray cluster. Light: Ray is imported when a search on it begins."""

from __future__ import annotations

from tuner.search.cluster.address import check_address as check_address
from tuner.search.cluster.engine import RayEngine as RayEngine
from tuner.search.cluster.engine import Share as Share
