"""The house holds: floors, purity, SQL's home, our names, sizes."""

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [
    "vitals",
    "gateway_agent",
    "store",
    "observe",
    "ingest",
    "rules",
    "notify",
    "simulator",
    "care_plans",
    "api",
    "kangban",
]

# Pure files take frozen dataclasses and `now`, and return them.
PURE = (
    "vitals/*.py",
    "gateway_agent/talk.py",
    "gateway_agent/gatt.py",
    "gateway_agent/clock.py",
    "gateway_agent/clock_care.py",
    "gateway_agent/sync.py",
    "gateway_agent/delivery.py",
    "gateway_agent/calling.py",
    "gateway_agent/quirk.py",
    "gateway_agent/quirk_row.py",
    "gateway_agent/quirks/*.py",
    "gateway_agent/recognise.py",
    "gateway_agent/orders.py",
    "gateway_agent/pairing.py",
    "gateway_agent/hint.py",
    "gateway_agent/status.py",
    "gateway_agent/sighting.py",
    "gateway_agent/troubles.py",
    "gateway_agent/time_server.py",
    "gateway_agent/ailments.py",
    "gateway_agent/doctor.py",
    "gateway_agent/drivers/*.py",
    "simulator/story.py",
    "simulator/daily_story.py",
    "simulator/sensor_story.py",
    "simulator/panel.py",
    "simulator/record.py",
    "simulator/chance.py",
    "ingest/validate.py",
    "ingest/batch.py",
    "ingest/answer.py",
    "ingest/arrival.py",
    "ingest/shape.py",
    "ingest/sheet.py",
    "ingest/moment.py",
    "store/columns.py",
    "ingest/reason.py",
    "ingest/event.py",
    "ingest/forgotten.py",
    "ingest/dismantle.py",
    "ingest/lease.py",
    "ingest/rollup.py",
    "rules/finding.py",
    "rules/trends.py",
    "rules/metrics/*.py",
    "rules/exports/*.py",
    "rules/metrics_table.py",
    "rules/evaluate.py",
    "rules/alert.py",
    "rules/escalation.py",
    "rules/need.py",
    "rules/words.py",
    "rules/history.py",
    "rules/form.py",
    "rules/episode.py",
    "rules/seen.py",
    "rules/line.py",
    "rules/personal.py",
    "rules/scope.py",
    "rules/due.py",
    "rules/evaluators/*.py",
    "rules/report/*_week.py",
    "rules/report/*_panel.py",
    "rules/report/phrases.py",
    "rules/report/shape.py",
    "rules/report/week.py",
    "rules/report/sections.py",
    "rules/report/chart.py",
    "rules/report/day_chart.py",
    "rules/sensor.py",
    "care_plans/plan.py",
    "care_plans/schedule.py",
    "care_plans/adherence.py",
    "care_plans/adjust.py",
    "care_plans/block.py",
    "care_plans/change.py",
    "care_plans/words.py",
    "notify/deliver.py",
    "api/access.py",
    "api/likely.py",
    "api/session.py",
    "api/moment.py",
    "api/view/*.py",
    "kangban/keeping/decide.py",
    "kangban/backup/manifest.py",
)
IMPURE_MODULES = {
    "asyncio", "bleak", "psycopg", "psycopg_pool", "paho", "sqlite3", "fastapi", "logging", "time",
    "socket", "subprocess", "threading", "random", "requests", "httpx",
}  # fmt: skip
CLOCK_READS = {"now", "utcnow", "today", "time", "monotonic"}

# The only files that may know an outside thing.
HOMES = {
    "sqlite3": {
        f"gateway_agent/{name}.py"
        for name in ("spool", "spool_file", "spool_records", "spool_rescue")
    },
    "paho": {"gateway_agent/uplink.py", "ingest/subscribe.py"},
    "bleak_retry_connector": {"gateway_agent/linking.py"},
    "dbus_fast": {
        "gateway_agent/bluez.py",
        "gateway_agent/bluez_objects.py",
        "gateway_agent/look_bluez.py",
        # the other side of the bus, for tests and support
        "simulator/bluez.py",
        "simulator/bluez_agent.py",
        "simulator/bluez_device.py",
        "simulator/bluez_gatt.py",
    },
    "cryptography": {"gateway_agent/enrol.py", "api/authority.py"},
    "apprise": {"notify/channels/apprise.py"},
    "prometheus_client": {
        "observe/door.py",
        *(f"{each}/counted.py" for each in ("ingest", "rules", "notify", "care_plans", "api")),
    },
}


def product_files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure_files() -> list[Path]:
    return sorted({path for pattern in PURE for path in ROOT.glob(pattern)})


def test_every_named_pure_file_exists() -> None:
    missing = [pattern for pattern in PURE if not list(ROOT.glob(pattern))]
    assert missing == []


@pytest.mark.parametrize("path", pure_files(), ids=name_of)
def test_a_pure_file_neither_acts_nor_looks_at_a_clock(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {name.split(".")[0] for name in imported(tree)} & IMPURE_MODULES == set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            pytest.fail(f"{name_of(path)}:{node.lineno} awaits")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}, f"line {node.lineno}"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCK_READS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in {"datetime", "date", "time"}
        ):
            pytest.fail(f"{name_of(path)}:{node.lineno} looks at a clock")


def test_vitals_needs_nothing_but_the_standard_library() -> None:
    for path in (ROOT / "vitals").glob("*.py"):
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            top = name.split(".")[0]
            assert top == "vitals" or top in sys.stdlib_module_names, f"{name_of(path)}: {name}"


@pytest.mark.parametrize("module", HOMES)
def test_an_outside_thing_has_one_home(module: str) -> None:
    users = {
        name_of(path)
        for path in product_files()
        if any(
            name.split(".")[0] == module
            for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert users <= HOMES[module]


def test_bleak_is_known_to_the_radio_and_to_the_simulated_adapter_alone() -> None:
    users = {
        name_of(path)
        for path in product_files()
        if any(
            name.split(".")[0] == "bleak"
            for name in imported(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert {user for user in users if not user.startswith("simulator/")} == {
        "gateway_agent/radio.py",
        "gateway_agent/scanning.py",
        "gateway_agent/linking.py",
        "gateway_agent/reached.py",
    }


def test_sql_lives_in_the_store_alone() -> None:
    verbs = ("select ", "insert into", "update ", "delete from", "create table", "copy ")
    found = []
    for path in product_files():
        if name_of(path).startswith(("store/", "gateway_agent/spool")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = " ".join(node.value.lower().split())
                if text.startswith(verbs) and (
                    " from " in text or " set " in text or " into " in text or "table" in text
                ):
                    found.append(f"{name_of(path)}:{node.lineno} {text[:60]}")
    assert found == []


def test_each_query_has_its_sentence() -> None:
    from store.named import queries

    for path in (ROOT / "store" / "sql").glob("*.sql"):
        assert queries(path.stem), f"{path.name} names no query"


def test_the_floors_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_other_distribution_owns_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, ["kangban"])) == {"kangban"}, package


def test_every_module_says_why_it_exists() -> None:
    silent = [
        name_of(path)
        for path in product_files()
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        name_of(path): length
        for path in product_files()
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = []
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 60:
                    long.append(f"{name_of(path)}:{node.name} {length}")
    assert long == []


def test_no_two_test_files_share_a_name() -> None:
    # pytest imports a test file by its bare name: of two, one session would refuse the second
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({each for each in names if names.count(each) > 1}) == []


def test_no_module_is_called_utils_helpers_or_manager() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [name_of(path) for path in product_files() if path.stem in vague] == []
