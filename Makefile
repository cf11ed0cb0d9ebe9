# `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory

JOBS ?= $(shell nproc)
ROUNDS ?= 50
WORKERS ?= 3
CASES ?= ../shared/conformance
PLUGINS ?=
ARGS ?=
PYTHON := /usr/bin/python3
CMAKE := cmake -G Ninja -S . -DCMAKE_MESSAGE_LOG_LEVEL=WARNING
NINJA := ninja -j$(JOBS) $(if $(MAKE_TERMOUT),,--quiet)
PHASE := scripts/phase
UPGRADE_TESTS := $(addprefix tests/upgrade/,test_history.py test_old_shapes.py test_consent.py test_postgres.py test_kills.py test_grafana.py)
export ROUNDS
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup configure build run test all-binaries unit asan-binary asan e2e upgrade-faults conformance bench fmt lint clean

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14
	@echo
	@echo 'ROUNDS=n  rounds of the fault tests (50)      JOBS=n       parallel jobs (cores)'
	@echo 'WORKERS=n files of end-to-end tests side by side (3)'
	@echo 'STORES=all    API tests on embedded, MariaDB and PostgreSQL (a portion of them on the servers)'
	@echo 'CASES=dir recorded cases for conformance      PLUGINS=a,b  only these of them'

setup: ## install what the build needs (Debian 12 packages, DuckDB in .deps)
	@scripts/setup

configure: setup
	@[ -f build/build.ninja ] || $(CMAKE) -B build >/dev/null
	@$(NINJA) -C build build.ninja >/dev/null

build: configure ## the program: build/tarn
	@$(NINJA) -C build

run: build ## build, then serve (ARGS=... are passed on)
	@exec build/tarn serve $(ARGS)

test: ## every test: build, unit, e2e, conformance, sanitizers, lint
	@rm -f build/phases
	@$(PHASE) build $(MAKE) all-binaries
	@$(PHASE) unit $(MAKE) unit
	@# The end-to-end tests wait a good part of their time: meanwhile what the sanitizers need is built. Its errors are told by the phase asan.
	@nice -n 19 $(MAKE) asan-binary >/dev/null 2>&1 & other=$$!; trap 'kill $$other 2>/dev/null || true' EXIT; \
	$(PHASE) e2e $(MAKE) e2e; wait $$other || true
	@$(PHASE) conformance $(MAKE) conformance
	@$(PHASE) asan $(MAKE) asan
	@$(PHASE) lint $(MAKE) lint

all-binaries: build
	@$(NINJA) -C build tarn_unit benches

unit: configure ## fast tests, under a minute (ARGS=--gtest_filter=...)
	@$(NINJA) -C build tarn_unit
	@build/tarn_unit --gtest_brief=1 $(ARGS)

asan-binary: setup
	@[ -f build-asan/build.ninja ] || $(CMAKE) -B build-asan -DTARN_SANITIZE=ON >/dev/null
	@$(NINJA) -C build-asan tarn_unit

asan: asan-binary ## unit tests under the address and undefined behaviour sanitizers
	@UBSAN_OPTIONS=print_stacktrace=1 build-asan/tarn_unit --gtest_brief=1 $(ARGS)

e2e: all-binaries ## the fake sources, and the running program against them (ARGS=-k ...)
	@scripts/setup helm
	@if [ -d tests/e2e ]; then $(PYTHON) -m pytest -q -p no:cacheprovider -n $(WORKERS) --dist loadgroup --durations=25 tests/fake tests/e2e tests/deploy $(UPGRADE_TESTS) $(ARGS); \
	else echo 'e2e: skipped, there is no tests/e2e'; fi

upgrade-faults: build ## upgrades killed and disturbed, ten minutes (ROUNDS; ROUNDS=all: at every statement, hours)
	@$(PYTHON) -m pytest -q -p no:cacheprovider -n $(WORKERS) --dist loadgroup -rP tests/upgrade/test_kills.py $(ARGS)
	@ROUNDS=$(ROUNDS:all=50) $(PYTHON) -m pytest -q -p no:cacheprovider -n $(WORKERS) --dist loadgroup tests/upgrade/test_faults.py $(ARGS)

conformance: build ## recorded cases of Apache DevLake, table by table
	@if [ -d '$(CASES)' ]; then build/tarn conformance --cases '$(CASES)' $(if $(PLUGINS),--plugins '$(PLUGINS)') $(ARGS); \
	else echo 'conformance: skipped, no recorded cases in $(CASES) (CASES=folder names another)'; fi

bench: build ## measure; figures and their answers are checked
	@$(NINJA) -C build benches
	@if [ -x bench/run ]; then bench/run $(ARGS); else echo 'bench: skipped, there is no bench/run'; fi

fmt: setup ## format the C++ sources
	@scripts/lint --fix-format

lint: configure ## formatting, clang-tidy, include order, forbidden text
	@scripts/lint

clean: ## remove what was built (.deps and data stay)
	@rm -rf build build-asan
