"""`python -m openworld` is the command `openworld`."""

import sys

from openworld.cli import main

sys.exit(main())
