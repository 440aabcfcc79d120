"""What importing openworld costs and touches."""

import subprocess
import sys

CHECK = """
import sys
blocked = ("gymnasium", "tyro", "optax", "orbax", "rich", "openworld_trainers", "imageio", "matplotlib")
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


PICTURES = """
import sys
import numpy as np
from openworld.content.ids import Action
from openworld.observe.layout import layout_of
from openworld.observe.text import text
from openworld.content.rulesets import FULL
from openworld.render import ansi, human, page, picture
from openworld.render.event_log import EventLog
tokens = np.zeros(layout_of(FULL).size, np.uint8)
log = EventLog.begin(tokens, np.zeros(67, bool), FULL).after(Action.DO, tokens, np.ones(67, bool))
assert picture.picture(tokens).any() and human.frame(log).any() and ansi.ansi(tokens) and text(tokens)
xla_bridge = sys.modules.get("jax._src.xla_bridge")
assert xla_bridge is None or not xla_bridge._backends, "painting touches a device"
"""


def test_painting_touches_no_device():
    done = subprocess.run([sys.executable, "-c", PICTURES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
