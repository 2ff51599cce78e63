"""What our side does in each of the kit's scenarios: in which state, which move, one after another.

A scenario without moves is one where the kit acts and our node only answers.
"""

from __future__ import annotations

from typing import Final

Moves = tuple[tuple[str, str], ...]  # (the state we are in, what we do then)

OFFER: Final = ("REQUESTED", "offer")
AGREE: Final = ("REQUESTED", "agree")
AGREE_ACCEPTED: Final = ("ACCEPTED", "agree")
FINALIZE: Final = ("VERIFIED", "finalize")
ACCEPT: Final = ("OFFERED", "accept")
VERIFY: Final = ("AGREED", "verify")
START: Final = ("REQUESTED", "start")
SUSPEND: Final = ("STARTED", "suspend")
RESUME: Final = ("SUSPENDED", "start")
COMPLETE: Final = ("STARTED", "complete")

# What makes agreements for the transfer scenarios: the whole negotiation, and no delivery.
CONCLUDE_AS_PROVIDER: Final[Moves] = (AGREE, FINALIZE)
CONCLUDE_AS_CONSUMER: Final[Moves] = (VERIFY,)

PROVIDER_NEGOTIATIONS: Final[dict[str, Moves]] = {
    "CN_01_01": (OFFER,),
    "CN_01_02": (OFFER, ("REQUESTED", "terminate")),
    "CN_01_03": (OFFER, AGREE_ACCEPTED, FINALIZE),
    "CN_01_04": (AGREE, FINALIZE),
    "CN_02_01": (("REQUESTED", "terminate"),),
    "CN_02_02": (),
    "CN_02_03": (AGREE,),
    "CN_02_04": (OFFER,),
    "CN_02_05": (OFFER, ("OFFERED", "terminate")),
    "CN_02_06": (OFFER, ("ACCEPTED", "terminate")),
    "CN_02_07": (AGREE, ("VERIFIED", "terminate")),
    "CN_03_01": (AGREE, FINALIZE),
    "CN_03_02": (OFFER,),
    "CN_03_03": (OFFER,),
    "CN_03_04": (OFFER,),
}
CONSUMER_NEGOTIATIONS: Final[dict[str, Moves]] = {
    "CN_C_01_01": (ACCEPT, VERIFY),
    "CN_C_01_02": (("OFFERED", "counter"),),
    "CN_C_01_03": (("OFFERED", "terminate"),),
    "CN_C_01_04": (VERIFY,),
    "CN_C_02_01": (),
    "CN_C_02_02": (("REQUESTED", "terminate"),),
    "CN_C_02_03": (("AGREED", "terminate"),),
    "CN_C_02_04": (),
    "CN_C_02_05": (ACCEPT,),
    "CN_C_02_06": (VERIFY,),
    "CN_C_03_01": (),
    "CN_C_03_02": (),
    "CN_C_03_03": (),
    "CN_C_03_04": (ACCEPT,),
    "CN_C_03_05": (ACCEPT,),
    "CN_C_03_06": (ACCEPT,),
}
PROVIDER_TRANSFERS: Final[dict[str, Moves]] = {
    "TP_01_01": (START, ("STARTED", "terminate")),
    "TP_01_02": (START, COMPLETE),
    "TP_01_03": (START, SUSPEND, ("SUSPENDED", "terminate")),
    "TP_01_04": (START, SUSPEND, RESUME, COMPLETE),
    "TP_01_05": (("REQUESTED", "terminate"),),
    "TP_02_01": (START,),
    "TP_02_02": (START,),
    "TP_02_03": (START,),
    "TP_02_04": (START,),
    "TP_02_05": (),
    "TP_03_01": (),
    "TP_03_02": (),
    "TP_03_03": (START,),
    "TP_03_04": (START,),
    "TP_03_05": (START,),
    "TP_03_06": (START,),
}
CONSUMER_TRANSFERS: Final[dict[str, Moves]] = {
    "TP_C_01_01": (),
    "TP_C_01_02": (),
    "TP_C_01_03": (),
    "TP_C_01_04": (),
    "TP_C_01_05": (),
    "TP_C_02_01": (("STARTED", "terminate"),),
    "TP_C_02_02": (COMPLETE,),
    "TP_C_02_03": (SUSPEND, ("SUSPENDED", "terminate")),
    "TP_C_02_04": (SUSPEND, RESUME, COMPLETE),
    "TP_C_02_05": (("REQUESTED", "terminate"),),
    "TP_C_03_01": (),
    "TP_C_03_02": (),
    "TP_C_03_03": (),
    "TP_C_03_04": (),
    "TP_C_03_05": (),
    "TP_C_03_06": (),
}
# CN:01-02 names its data set so in its counter-request, whatever the kit was configured with.
FIXED_NAME: Final = "ACN0102"
FIXED_IN: Final = "CN_01_02"
CATALOGUE: Final = ("CAT_01_01", "CAT_01_02")
UNKNOWN_DATASET: Final = "CAT_01_03"  # the one that must not be found
MOVES: Final[dict[str, Moves]] = {
    **PROVIDER_NEGOTIATIONS,
    **CONSUMER_NEGOTIATIONS,
    **PROVIDER_TRANSFERS,
    **CONSUMER_TRANSFERS,
}
PLAN_FILE: Final = "conformance.json"  # in the node's folder: which resource and agreement is for which scenario
EVERY: Final = 67  # of the kit: those above, three of the catalogue and one of the version metadata
