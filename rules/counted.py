"""What the judging process counts of itself, for Prometheus; told in docs/observing.md.

May hold: figures, by rule and severity, never by person. May not: decisions, I/O.
"""

from prometheus_client import Counter, Histogram

JUDGED = Counter("kangban_rules_judged_total", "Patients judged.")
FAILED = Counter("kangban_rules_failed_total", "Patients put aside because judging them failed.")
STEPS = Counter("kangban_rules_alerts_total", "Steps in the life of alerts.", ["event", "severity"])
SECONDS = Histogram(
    "kangban_rules_judging_seconds",
    "Time to judge one patient.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
