"""Settings of a small benchmark, and rows as it writes them."""

from openworld.bench.suites import Settings


def settings(**changes) -> Settings:
    return Settings(
        **{"sizes": (4,), "runs": 2, "seconds": 0.01, "warm_up": 0, "kinds": ("worlds",), **changes}
    )


ROW = {
    "id": "OpenWorld-v0",
    "kind": "worlds",
    "worlds": 4096,
    "steps_per_second": 1234567.8,
    "lowest": 1e6,
    "highest": 2e6,
    "compile_seconds": 12.34,
    "bytes_per_world": 30000,
    "bytes_per_observation": 445,
    "episodes_per_1000_steps": 3.456,
}
START = {
    "id": "OpenWorld-v0",
    "kind": "start",
    "worlds": 4096,
    "import_seconds": 0.25,
    "first_step_cold_seconds": 12.0,
    "first_step_cached_seconds": 3.0,
}
