"""`python -m openworld.cli`."""

import sys

from openworld.cli import main

sys.exit(main())
