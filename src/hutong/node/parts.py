"""What the parts of the program do without being called by name: duties, checks, handlers, followers, deciders.

A part registers them in its `registration.py`, which is imported when the first of them is looked for and when a
server starts. A command that reads one table therefore loads the models, and not the whole exchange.
"""

from __future__ import annotations

from functools import lru_cache

from django.utils.module_loading import autodiscover_modules


@lru_cache(maxsize=1)
def load() -> None:
    """Import the registration of every part, in the order of INSTALLED_APPS.

    MUST be called before a registry is read. Costs about a second, once; after that nothing.
    """
    autodiscover_modules("registration")
