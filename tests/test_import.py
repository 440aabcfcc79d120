"""What importing openworld costs and touches."""

import subprocess
import sys

CHECK = """
import sys
blocked = ("gymnasium", "tyro", "optax", "orbax", "rich", "trainers", "imageio", "matplotlib")
sys.modules.update(dict.fromkeys(blocked))
import openworld
assert "jax" not in sys.modules, "import openworld loads JAX"
assert not [name for name in sys.modules if name.startswith("openworld.adapters.gymnasium")]
world = openworld.make("OpenWorld-v0")
assert hash(world) == hash(openworld.make("OpenWorld-v0")) and "OpenWorld-v0" in repr(world)
from jax._src import xla_bridge
assert not xla_bridge._backends, "making a description touches a device"
"""


def test_importing_touches_nothing():
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
