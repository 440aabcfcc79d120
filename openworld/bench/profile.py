"""The time of a step by part and kernel, from a few steps traced with JAX's profiler."""

import collections
import gzip
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from openworld.bench import hlo

#: The most seconds of traced steps, about, and the most steps.
SECONDS, STEPS = 0.5, 16
#: Kernels that a profile lists.
HEAVIEST = 25
#: A compiler option: kernels are launched and traced one by one, not as graphs of many.
ONE_BY_ONE = {"xla_gpu_enable_command_buffer": ""}


def of(function: Any, play: Any, carry: Any, pace: float) -> dict[str, Any]:
    """Return the profile of a program, or the reason why there is none.

    Args:
        function: `(carry, steps) -> carry`, jitted; it may donate the carry.
        play: the same, compiled.
        carry: the carry to begin with.
        pace: seconds of a step without tracing.
    """
    try:
        profile, carry = take(play, carry, pace)
        if profile.get("named_share", 1.0) < 0.5 and jax.default_backend() != "cpu":
            apart = function.lower(carry, jnp.int32(1)).compile(compiler_options=ONE_BY_ONE)
            profile, _ = take(apart, carry, pace)
            profile["one_by_one"] = True
        return profile
    except Exception as error:  # the measurement is kept without its profile
        return {"left_out": f"{type(error).__name__}: {error}"[:500]}


def take(play: Any, carry: Any, pace: float) -> tuple[dict[str, Any], Any]:
    """Trace some steps of a compiled program; return the profile of one step, and the carry."""
    steps = min(STEPS, max(1, round(SECONDS / pace)))
    carry = jax.block_until_ready(play(carry, jnp.int32(1)))
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=options):
            began = time.perf_counter()
            carry = jax.block_until_ready(play(carry, jnp.int32(steps)))
            seconds = time.perf_counter() - began
        files = sorted(Path(folder).rglob("*.trace.json.gz"))
        if not files:
            return {"left_out": "the profiler wrote no trace"}, carry
        with gzip.open(files[0], "rt") as file:
            events = json.load(file)["traceEvents"]
    length = {"steps": steps, "seconds_a_step": seconds / steps, "seconds_a_step_untraced": pace}
    return {**length, **summary(events, hlo.op_names(play.as_text()), steps)}, carry


def summary(events: list[dict[str, Any]], names: dict[str, str], steps: int) -> dict[str, Any]:
    """Return the profile of one step: seconds and kernels by part, and the heaviest kernels.

    Args:
        events: of a trace.
        names: kernel -> path of its operation (`hlo.op_names`).
        steps: how many steps were traced.
    """
    spent, count = _own_time(_on_device(events), names)
    by_scope: dict[str, dict[str, float]] = {}
    for kernel, seconds in spent.items():
        part = by_scope.setdefault(hlo.scope_of(names.get(kernel, "")), {"seconds": 0.0, "kernels": 0.0})
        part["seconds"] += seconds / steps
        part["kernels"] += count[kernel] / steps
    heaviest = [
        {
            "kernel": kernel,
            "op_name": names.get(kernel, "")[-160:],
            "seconds": seconds / steps,
            "times": count[kernel] / steps,
        }
        for kernel, seconds in sorted(spent.items(), key=lambda item: -item[1])[:HEAVIEST]
    ]
    copies = sum(times for kernel, times in count.items() if "memcpyd2h" in kernel.lower())
    busy = sum(spent.values())
    return {
        "busy_seconds_a_step": busy / steps,
        "named_share": sum(seconds for kernel, seconds in spent.items() if kernel in names) / (busy or 1.0),
        "kernels_a_step": sum(count.values()) / steps,
        "copies_to_host_a_step": copies / steps,
        "scopes": {name: by_scope[name] for name in (*hlo.SCOPES, hlo.UNNAMED) if name in by_scope},
        "heaviest": heaviest,
    }


def _on_device(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events of an accelerator's streams, or of a CPU all events."""
    processes, threads = {}, {}
    for event in events:
        if event.get("name") == "process_name":
            processes[event["pid"]] = event["args"].get("name", "")
        elif event.get("name") == "thread_name":
            threads[event["pid"], event["tid"]] = event["args"].get("name", "")
    lasting = [event for event in events if event.get("ph") == "X" and event.get("dur")]
    device = [event for event in lasting if "device:" in processes.get(event["pid"], "")]
    streams = [e for e in device if threads.get((e["pid"], e["tid"]), "").startswith("Stream")]
    return streams or device or lasting


def _own_time(events: list[dict[str, Any]], names: dict[str, str]) -> tuple[dict[str, float], dict[str, int]]:
    """Return seconds and number of events by kernel; an event does not count those inside it."""
    spent: dict[str, float] = collections.defaultdict(float)
    count: dict[str, int] = collections.defaultdict(int)
    threads = collections.defaultdict(list)
    for event in events:
        threads[event["pid"], event["tid"]].append(event)
    for thread in threads.values():
        thread.sort(key=lambda event: (event["ts"], -event["dur"]))
        around: list[tuple[float, str | None]] = []
        for event in thread:
            while around and event["ts"] >= around[-1][0] - 1e-6:
                around.pop()
            kernel = _kernel(event, names)
            if around and around[-1][1] is not None:
                spent[around[-1][1]] -= event["dur"] / 1e6
            if kernel is not None:
                spent[kernel] += event["dur"] / 1e6
                count[kernel] += 1
            around.append((event["ts"] + event["dur"], kernel))
    return spent, count


def _kernel(event: dict[str, Any], names: dict[str, str]) -> str | None:
    """Return the kernel's name in the program's text; None for an event of the host."""
    details = event.get("args") or {}
    for name in (details.get("hlo_op"), event["name"], str(event["name"]).lstrip("%")):
        if name in names:
            return name
    on_stream = not details.keys().isdisjoint(("correlation_id", "kernel_details", "memcpy_details"))
    return str(event["name"]) if on_stream else None
