from __future__ import annotations

from django.apps import AppConfig

TALLY_EVERY_S = 15.0  # the start page adds what came since by itself
COUNT_EVERY_S = 600.0  # how old a figure of the running month may be


class OversightConfig(AppConfig):
    name = "hutong.control.oversight"
    label = "oversight"

    def ready(self) -> None:
        from hutong.control.oversight import reconciling
        from hutong.control.oversight.actions import keep_up
        from hutong.control.oversight.tally import tally
        from hutong.node import work

        work.register_aside("reconcile", reconciling.reconcile_all, reconciling.LOOK_EVERY_S)
        work.register("tally", tally, TALLY_EVERY_S)
        work.register("oversight", keep_up, COUNT_EVERY_S)
