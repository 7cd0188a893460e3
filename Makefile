# Two commands matter: `make up` starts everything, `make test` checks everything. `make help` lists the rest.

RUN := .venv/bin/python -m
ARGS ?=
# Test processes side by side; each starts servers of its own when it first needs them.
JOBS ?= 3
.DEFAULT_GOAL := help
.PHONY: help up down status test lint format lock environment fetch
.PHONY: test-unit test-contract test-integration test-e2e chaos soak

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile

up: environment ## Start servers and processes, take a sample photograph through, serve until Ctrl-C (SAMPLE=1: again)
	@exec $(RUN) ops stack up $(ARGS)

down: environment ## End a running stack; its data stays
	@$(RUN) ops stack down $(ARGS)

status: environment ## Show every server and process
	@$(RUN) ops stack status $(ARGS)

test: lint fetch ## Everything: linters, types, imports, and all tests on servers of their own
	$(RUN) pytest -n $(JOBS) --dist loadfile $(ARGS)

test-unit: environment ## Tests that need no server
	$(RUN) pytest tests/unit $(ARGS)

test-contract: environment fetch ## Each adapter and its twin against one suite
	$(RUN) pytest tests/contract $(ARGS)

test-integration: environment fetch ## Our processes on real servers
	$(RUN) pytest tests/integration $(ARGS)

test-e2e: environment fetch ## Photographs through the whole arrow
	$(RUN) pytest tests/e2e $(ARGS)

chaos: environment fetch ## Kill, freeze, cut, fill and start everything at random (CHAOS_SECONDS=120, OUTAGE_SECONDS=180; RIG_SEED=… repeats a run)
	CHAOS_SECONDS=$${CHAOS_SECONDS:-120} OUTAGE_SECONDS=$${OUTAGE_SECONDS:-180} $(RUN) pytest -n 0 -s \
		tests/integration/rig/test_chaos.py tests/integration/rig/test_cluster.py \
		tests/integration/rig/test_clocks.py tests/integration/rig/test_full_disks.py \
		tests/integration/rig/test_starts.py tests/integration/rig/test_long_outage.py $(ARGS)

soak: environment fetch ## Half an hour of load and faults in which no program may grow (SOAK_SECONDS=1800; RIG_SEED=…)
	SOAK_SECONDS=$${SOAK_SECONDS:-1800} $(RUN) pytest -n 0 -s tests/integration/rig/test_soak.py $(ARGS)

lint: environment ## Linter, formatting, types and import rules
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	$(RUN) mypy
	.venv/bin/lint-imports

format: environment ## Format the code and mend what the linter can
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lock: environment ## Renew requirements.lock from pyproject.toml (needs the network)
	.venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --upgrade \
		--group dev pyproject.toml -o requirements.lock

environment: ## Make .venv from requirements.lock, unless it is current
	@./ops/stack/setup.sh

fetch: environment ## Fetch the embedded servers, unless they are here
	@$(RUN) ops stack fetch
