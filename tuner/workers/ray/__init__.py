"""Workers on a Ray cluster. Light: Ray is imported when a search on it begins."""

from tuner.workers.ray.asked import RayAsked as RayAsked
from tuner.workers.ray.engine import RayEngine as RayEngine
from tuner.workers.ray.nodes import Share as Share
