"""The demo: the whole system with simulated people, and the same played without a person."""

from kangban.demo.show import demo

__all__ = ["demo"]
