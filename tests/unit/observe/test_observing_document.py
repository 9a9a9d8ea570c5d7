"""Every figure stands in docs/observing.md, and every alert of the example asks for one that is."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from ingest.reason import Reason

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/observing.md").read_text(encoding="utf-8")
RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus_rules.yml").read_text("utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
LABELS = {
    "reason", "kind", "how", "gateway", "event", "severity", "route", "status", "process",
}  # fmt: skip


def families() -> dict[str, str]:
    """Every figure of ours under the name that Prometheus knows, with its type."""
    for package in ("ingest", "rules", "notify", "care_plans", "api"):
        importlib.import_module(f"{package}.counted")
    return {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in REGISTRY.collect()
        if family.name.startswith("kangban_")
    }


def test_every_figure_is_told_and_every_told_figure_exists() -> None:
    told = set(re.findall(r"^\| `(kangban_\w+)", PAGE, re.MULTILINE))
    assert told == families().keys()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_figures_that_exist_and_says_what_to_do(rule: dict[str, Any]) -> None:
    known = families()
    for name in re.findall(r"kangban_\w+", rule["expr"]):
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        assert name in known or known.get(base) == "histogram", name
    for label in re.findall(r"(\w+)!?=\"", rule["expr"]):
        assert label in LABELS | {"le", "job"}, label
    assert len(rule["annotations"]["summary"]) > 20


def test_a_bucket_that_an_alert_asks_for_is_one_of_ours() -> None:
    text = (ROOT / "deploy/prometheus_rules.yml").read_text("utf-8")
    asked = set(re.findall(r'lag_seconds_bucket\{le="([\d.]+)"\}', text))
    families()
    ours = {
        sample.labels["le"]
        for family in REGISTRY.collect()
        if family.name == "kangban_ingest_lag_seconds"
        for sample in family.samples
        if sample.name.endswith("_bucket")
    }
    assert asked
    assert asked <= ours


def test_reasons_are_words_that_prometheus_takes() -> None:
    assert all(re.fullmatch(r"[a-z_]+", each) for each in Reason)
    for name in re.findall(r'reason!?="(\w+)"', str(ALERTS)):
        assert name in set(Reason)


def test_the_page_says_what_the_doors_say() -> None:
    door = (ROOT / "observe/door.py").read_text(encoding="utf-8")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert f"`{path}`" in PAGE
        assert f'"{path}"' in door


def test_prometheus_finds_every_process() -> None:
    found = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text("utf-8"))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    (job,) = found["scrape_configs"]
    (asked,) = job["dns_sd_configs"]
    watched = {
        name
        for name, each in compose.items()
        if isinstance(each.get("environment"), dict)
        and each["environment"].get("KANGBAN_STATUS_PORT") == str(asked["port"])
    }
    assert set(asked["names"]) == watched
