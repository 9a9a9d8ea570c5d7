"""What the care plans' process counts of itself, for Prometheus; told in docs/observing.md.

May hold: figures, never by person. May not: decisions, I/O.
"""

from prometheus_client import Counter, Histogram

FOLLOWED = Counter("kangban_plans_patients_total", "Times that a patient's plan was looked after.")
FAILED = Counter("kangban_plans_failed_total", "Times that this failed for a patient.")
TICK_SECONDS = Histogram(
    "kangban_plans_tick_seconds",
    "Time to do all that the clock made due.",
    buckets=(0.05, 0.25, 1, 5, 15, 60, 300),
)
