"""`python -m polybawt`."""

import sys

from polybawt.launch import main

sys.exit(main())
