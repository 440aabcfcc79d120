"""`python -m openworld_trainers.accelerator`, which `.ci/gpu` starts."""

import os

from openworld_trainers.accelerator.script import main

# Not sys.exit: Python would wait for programs that are still compiled, which nobody needs any more.
os._exit(main())
