"""`python -m polybawt`."""

import sys

from polybawt.cli import main

sys.exit(main())
