# Every command sets up what it needs, and is quick the second time.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench bench-growth bench-reads bench-fleet bench-gateway gateway-campaign chaos backpressure samples services browser pin

BIN := .venv/bin
# a test waits half of its time, for a radio or a database: one more than there are cores, four at most
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 1); [ $$n -lt 3 ] && echo $$((n + 1)) || echo 4)
# In CI everything must be there; on a desk, tests of what cannot be installed skip and say so.
OPTIONAL := $(if $(filter true,$(CI)),,|| true)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 25

setup: ## Make .venv with everything that development needs
	@scripts/venv.sh dev

demo: ## Show the whole system with simulated people; no hardware, no Docker
	@scripts/venv.sh server
	@$(BIN)/kangban demo $(ARGS)

test: setup ## Run lint and all tests on real databases, a real broker and a real browser
	@scripts/services.sh $(OPTIONAL)
	@scripts/browser.sh $(OPTIONAL)
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

lint: setup ## Check format, style, types and floors
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Put the code into the house's format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: setup ## Measure ingest beside a raw COPY into the same table
	@scripts/services.sh
	@$(BIN)/python -m bench.ingest $(ARGS)

bench-growth: setup ## Measure what a row costs from 1 to 50 million rows (ARGS=--until 5000000 for fewer)
	@scripts/services.sh
	@$(BIN)/python -m bench.growth $(ARGS)

bench-reads: setup ## Measure what people wait for at 50 million rows (ARGS=--rows 2000000 for fewer)
	@scripts/services.sh
	@$(BIN)/python -m bench.reads $(ARGS)

bench-fleet: setup ## Measure the chain under the stream of a city's gateways
	@scripts/services.sh
	@$(BIN)/python -m bench.fleet $(ARGS)

bench-gateway: setup ## Measure a gateway with 300 simulated devices beside bleak alone
	@scripts/services.sh
	@$(BIN)/python -m bench.gateway $(ARGS)

CYCLES ?= 2000
gateway-campaign: setup ## Kill, cut off and starve a gateway CYCLES times; nothing may be lost or doubled
	@scripts/services.sh
	@$(BIN)/python -m bench.gateway_campaign --cycles $(CYCLES) $(ARGS)

chaos: setup ## Kill, fill, cut and skew every part of the chain CYCLES times; nothing may be lost or doubled
	@scripts/services.sh
	@$(BIN)/python -m bench.chaos --cycles $(CYCLES) $(ARGS)

backpressure: setup ## Take the database away for an hour, then bring ten times the load, in a few minutes
	@scripts/services.sh
	@$(BIN)/python -m bench.backpressure $(ARGS)
	@$(BIN)/python -m bench.backpressure --burst $(ARGS)

samples: setup ## Write the three sample reports under docs/samples anew
	@$(BIN)/python -m kangban.samples

services: setup ## Fetch TimescaleDB and mosquitto into .services/, without root
	@scripts/services.sh

browser: ## See to it that there is a Chromium for the page tests
	@scripts/browser.sh

pin: setup ## Write requirements/ anew from pyproject.toml (ARGS=--upgrade for the newest)
	@scripts/pin.sh $(ARGS)
