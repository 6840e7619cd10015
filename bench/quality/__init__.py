"""The yardstick of strong networks; see `bench.quality.command`."""
