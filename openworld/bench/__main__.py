"""`python -m openworld.bench`."""

import sys

from openworld.bench.run import main

sys.exit(main())
