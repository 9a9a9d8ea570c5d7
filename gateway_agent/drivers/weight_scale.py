"""Scales: Weight Scale Service (0x181D). The bytes are in `weight_record.py`, the visit in
`weighing.py`; a scale that tells body fat as well is read here too where it advertises this
service alone.
"""

from gateway_agent.drivers.weighing import COMPOSITION, WEIGHT, weigh
from gateway_agent.drivers.weight_record import FEATURE, MEASUREMENT, Weighing, WeightScaleFeature
from gateway_agent.talk import Driver, Talk, Visit

# seconds; a scale is on air for about half a minute after use, an engineering choice
REVISIT_S = 30.0


def talk(visit: Visit) -> Talk:
    """One visit to a scale: everything it sends until it hangs up or falls silent."""
    yield from weigh(visit, always=WEIGHT, perhaps=COMPOSITION)


DRIVER = Driver(
    kind="weight_scale",
    service="181D",
    zh="体重秤",
    en="Scale",
    talk=talk,
    decoders={MEASUREMENT: Weighing.decode, FEATURE: WeightScaleFeature.decode},
    revisit_s=REVISIT_S,
    # after the body-composition scale: one with both services is read as that
    rank=1,
)
