"""Run `python -m runtail` as the command `runtail`."""

import sys

from runtail.command import main

sys.exit(main())
