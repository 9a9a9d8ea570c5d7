"""Which drawing shows a device, and what to call it: by the gateway's own word, else by its kind.

A gateway names a drawing, or the kind of device that it would be of. May
hold: this look-up. May not: the drawings (`api/static/devices`).
"""

# the files of `api/static/devices`; each has a word, `drawing_…`
DRAWINGS = frozenset(
    {
        "glucose_meter",
        "cuff",
        "scale",
        "band",
        "ring",
        "oximeter",
        "thermometer",
        "cgm",
        "unknown",
    }
)

# what a kind of device has in its name; the first that fits counts
_BY_KIND = (
    ("cgm", "cgm"),
    ("continuous", "cgm"),
    ("glucose", "glucose_meter"),
    ("cuff", "cuff"),
    ("pressure", "cuff"),
    ("scale", "scale"),
    ("weight", "scale"),
    ("composition", "scale"),
    ("ring", "ring"),
    ("oximeter", "oximeter"),
    ("thermometer", "thermometer"),
    ("band", "band"),
    ("heart_rate", "band"),
    ("watch", "band"),
)
# drawings of devices that several people use, each under a number of their own
SHARED = frozenset({"cuff", "scale"})


def drawing_of(*, picture: str = "", kind: str = "") -> str:
    """The name of the drawing for a device."""
    if picture in DRAWINGS:
        return picture
    said = picture or kind
    by_word = next((drawing for part, drawing in _BY_KIND if part in said), None)
    return by_word or (drawing_of(kind=kind) if picture else "unknown")
