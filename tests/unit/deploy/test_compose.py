"""docker-compose.yml is what Compose accepts, and names only what exists here."""

import dataclasses
import importlib
import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from kangban.command import app
from kangban.commands.process import PROCESSES, SETTINGS
from vitals.settings import read

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("kangban:")}
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
MOSQUITTO = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()


def environment_of(service: str) -> dict[str, str]:
    return SERVICES[service].get("environment", {})


def test_it_is_valid_by_the_compose_specification():
    schema = files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    validator = jsonschema.validators.validator_for(json.loads(schema.read_text()))
    problems = validator(json.loads(schema.read_text())).iter_errors(COMPOSE)
    assert [f"{problem.json_path}: {problem.message}" for problem in problems] == []


def test_every_part_of_the_production_shape_is_there():
    assert set(SERVICES) == {"database", "broker", "migrate", *PROCESSES}


@pytest.mark.parametrize("service", OURS)
def test_every_command_exists(service):
    assert OURS[service]["command"][0] in COMMANDS


@pytest.mark.parametrize("service", OURS)
def test_every_process_runs_what_its_name_says(service):
    assert OURS[service]["command"] == [service]


@pytest.mark.parametrize("service", PROCESSES)
def test_every_setting_is_declared_and_none_is_missing(service):
    package = PROCESSES[service]
    settings = getattr(importlib.import_module(f"{package}.config"), SETTINGS[package])
    declared = {each.metadata["name"] for each in dataclasses.fields(settings)}
    given = {re.sub("_FILE$", "", name) for name in environment_of(service)}
    assert given <= declared
    values = {re.sub("_FILE$", "", name): text for name, text in environment_of(service).items()}
    values["KANGBAN_PUBLIC_URL"] = "https://care.example.org"
    read(settings, values)  # raises for what is missing or cannot be read


def test_processes_and_database_agree_on_who_where_and_how_they_are_healthy():
    assert environment_of("migrate") == {"KANGBAN_DATABASE_URL_FILE": "/run/secrets/database_url"}
    assert environment_of("database")["POSTGRES_USER"] == "kangban"
    url = (ROOT / "deploy/prepare.sh").read_text()
    assert "postgresql://kangban:%s@database:5432/kangban" in url
    for service in PROCESSES:
        assert SERVICES[service]["healthcheck"]["test"] == ["CMD", "kangban", "healthy", service]
        assert SERVICES[service]["depends_on"]["migrate"]["condition"] == (
            "service_completed_successfully"
        )


def test_only_the_broker_and_the_loopback_are_open():
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"broker": ["8883:8883"], "api": ["127.0.0.1:8000:8000"]}
    # the second is for the server's own side, and stays on the inner network
    assert re.findall(r"^listener (\d+)", MOSQUITTO, re.MULTILINE) == ["8883", "8884"]
    assert environment_of("api")["KANGBAN_API_PORT"] == "8000"
    assert environment_of("ingest")["KANGBAN_MQTT_URL"] == "mqtts://broker:8884"
    assert SERVICES["database"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_every_secret_is_declared_mounted_and_made():
    made = (ROOT / "deploy/certificates.sh").read_text() + (ROOT / "deploy/prepare.sh").read_text()
    for secret in COMPOSE["secrets"].values():
        folder, _, name = secret["file"].rpartition("/")
        assert folder == "deploy/secrets"
        assert name.split(".")[0] in made
    mounted = {name for each in SERVICES.values() for name in each.get("secrets", [])}
    assert mounted == set(COMPOSE["secrets"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_names_only_secrets_that_it_mounts(service):
    text = json.dumps(SERVICES[service]) + (MOSQUITTO if service == "broker" else "")
    named = set(re.findall(r"/run/secrets/(\w+)", text))
    assert named == set(SERVICES[service].get("secrets", []))


def test_no_secret_stands_in_the_file_or_in_the_image():
    for name, value in ((n, v) for each in SERVICES for n, v in environment_of(each).items()):
        if "PASSWORD" in name or "DATABASE_URL" in name:
            assert name.endswith("_FILE")
            assert str(value).startswith("/run/secrets/")
    ignored = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert not any("deploy" in line for line in ignored)
    assert (ROOT / "deploy/secrets/.gitignore").read_text().splitlines()[1:] == ["*", "!.gitignore"]


def test_volumes_and_images_are_named_and_pinned():
    named = {v.split(":")[0] for each in SERVICES.values() for v in each.get("volumes", [])}
    assert {v for v in named if not v.startswith(".")} == set(COMPOSE["volumes"])
    assert all((ROOT / v).is_dir() for v in named if v.startswith("."))
    for each in SERVICES.values():
        assert re.fullmatch(r"[\w/-]+:\d+\.\d+\.\d+(-pg\d+)?", each["image"])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {each["image"] for each in OURS.values()} == {f"kangban:{version}"}


@pytest.mark.parametrize("service", OURS)
def test_our_processes_run_with_as_little_as_they_need(service):
    assert OURS[service]["read_only"] is True
    assert OURS[service]["cap_drop"] == ["ALL"]
    assert re.search(r"^USER kangban$", DOCKERFILE, re.MULTILINE)


def test_the_image_is_built_from_what_is_here_and_holds_every_package():
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    }
    assert [name for name in copied if not (ROOT / name).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["importlinter"]["root_packages"]
    assert set(packages) <= copied
    let_in = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied} <= set(let_in)
    assert OURS["api"]["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile"}


def test_the_part_that_signs_certificates_fits_the_rest():
    more = yaml.safe_load((ROOT / "deploy/enrolment.yml").read_text())
    api = more["services"]["api"]
    package = importlib.import_module("api.config")
    declared = {each.metadata["name"] for each in dataclasses.fields(package.ApiSettings)}
    assert set(api["environment"]) <= declared
    assert set(api["secrets"]) <= set(COMPOSE["secrets"]) | set(more["secrets"])
    # Compose joins the lists of both files: what the first needs is here too
    assert set(SERVICES["api"]["secrets"]) <= set(api["secrets"])
    named = set(re.findall(r"/run/secrets/(\w+)", json.dumps(api)))
    assert named <= set(api["secrets"])
