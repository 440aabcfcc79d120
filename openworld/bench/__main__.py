"""`python -m openworld.bench`."""

import sys

from openworld.bench import main

sys.exit(main())
