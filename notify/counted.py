"""What the messenger counts of itself, for Prometheus; told in docs/observing.md.

May hold: figures, never a word of a message or whom it went to. May not: decisions, I/O.
"""

from prometheus_client import Counter, Gauge

ROUNDS = Counter("kangban_notify_messages_total", "Messages that were taken up.")
FAILURES = Counter("kangban_notify_failures_total", "Times that a drainer failed.")
OVERDUE = Gauge(
    "kangban_notify_overdue_seconds", "How long the message that is due longest has waited."
)
