"""Workers on a Ray cluster. Light: Ray is imported when a search on it begins."""

from tuner.workers.ray.connection import check_address as check_address
from tuner.workers.ray.connection import require_ray as require_ray
from tuner.workers.ray.engine import RayEngine as RayEngine
from tuner.workers.ray.nodes import Share as Share
