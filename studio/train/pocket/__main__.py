"""``python -m studio.train.pocket``: the same as ``python -m studio.train.pocket.build``."""

from studio.train.pocket.build import main

main()
