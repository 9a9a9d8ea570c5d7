"""The other side of `bench/metrics.py`: iglu-python, in an environment of its own.

Runs under another interpreter, into which iglu-python (GPL-2) was installed for this comparison
alone: nothing of ours imports it, and this file imports nothing of ours. For each line on standard
input ("go") it computes every metric of one series once, and answers with a line of JSON: processor
time in seconds, and the numbers.

    python bench/iglu_alone.py SERIES.csv
"""

import json
import sys
import time
import warnings
from typing import Any

import iglu_python as iglu  # type: ignore[import-not-found]
import pandas as pd

# function -> columns of its table -> our names
_TABLE: dict[str, dict[str, str]] = {
    "mean_glu": {"mean": "mean"},
    "sd_glu": {"SD": "sd"},
    "cv_glu": {"CV": "cv"},
    "gmi": {"GMI": "gmi"},
    "ea1c": {"eA1C": "ea1c"},
    "in_range_percent": {"in_range_70_180": "tir"},
    "below_percent": {"below_54": "below_54", "below_70": "below_70"},
    "above_percent": {"above_180": "above_180", "above_250": "above_250"},
    "lbgi": {"LBGI": "lbgi"},
    "hbgi": {"HBGI": "hbgi"},
    "gri": {"GRI": "gri"},
    "j_index": {"J_index": "j_index"},
    "modd": {"MODD": "modd"},
    "mage": {"MAGE": "mage"},
    "active_percent": {"active_percent": "active_percent"},
}


def main() -> None:
    """Answers until its input ends."""
    warnings.simplefilter("ignore")
    data = pd.read_csv(sys.argv[1])
    data["time"] = pd.to_datetime(data["time"])
    for _ in sys.stdin:
        begun = time.process_time()
        numbers = _numbers(data)
        print(json.dumps({"s": time.process_time() - begun, "numbers": numbers}), flush=True)


def _numbers(data: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for function, columns in _TABLE.items():
        row = getattr(iglu, function)(data).iloc[0]
        found |= {ours: float(row[theirs]) for theirs, ours in columns.items()}
    for _, row in iglu.episode_calculation(data).iterrows():
        if row["level"] in ("lv1", "lv2"):
            name = f"{row['type']}_{row['level']}"
            found[f"{name}_n"] = float(row["total_episodes"])
            found[f"{name}_min"] = float(row["avg_ep_duration"])
    return found


if __name__ == "__main__":
    main()
