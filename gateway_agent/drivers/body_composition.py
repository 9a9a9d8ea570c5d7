"""Body-composition scales: Body Composition Service (0x181B). The bytes are in
`composition_record.py`, the visit in `weighing.py`. A scale that has the Weight Scale Service as
well is read here, once, and gives one weight.
"""

from gateway_agent.drivers.composition_record import (
    FEATURE,
    MEASUREMENT,
    BodyComposition,
    BodyCompositionFeature,
)
from gateway_agent.drivers.weighing import COMPOSITION, WEIGHT, weigh
from gateway_agent.talk import Driver, Talk, Visit

# seconds; a scale is on air for about half a minute after use, an engineering choice
REVISIT_S = 30.0


def talk(visit: Visit) -> Talk:
    """One visit to a scale: everything it sends until it hangs up or falls silent."""
    yield from weigh(visit, always=COMPOSITION, perhaps=WEIGHT)


DRIVER = Driver(
    kind="body_composition_scale",
    service="181B",
    zh="体脂秤",
    en="Body-composition scale",
    talk=talk,
    decoders={MEASUREMENT: BodyComposition.decode, FEATURE: BodyCompositionFeature.decode},
    revisit_s=REVISIT_S,
)
