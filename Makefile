# A newcomer needs two: `make run` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Installs everything else, and is held against its hashes too: requirements/uv.txt.
UV = uv==0.13.9
PORT ?= 8501
HEADLESS ?= 0
VENV = .venv/bin
# Fits are 3 to 15 times slower when linear algebra splits tiny matrices over threads.
export OPENBLAS_NUM_THREADS = 1
export OMP_NUM_THREADS = 1
# Each process would compile the tests, and what has changed of the code, anew.
unexport PYTHONDONTWRITEBYTECODE

COMPILE = $(VENV)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"

.PHONY: help setup run check test lint quick elsewhere unit explore mutants golden texts requirements benchmarks release clean
.DEFAULT_GOAL := help

help:
	@echo "make run     set up, make a release from the bundled figures, open the dashboard (PORT=8501 HEADLESS=1)"
	@echo "make test    set up everything, a browser included, and run all checks and tests"
	@echo "make check   lint, types, imports and the quick tests: what to run before every commit"
	@echo "make setup   only make .venv with the command .venv/bin/vigie"

setup: .venv/ready-to-run
	@echo "Set up. Next: make run, or .venv/bin/vigie --help"

.venv/ready-to-run: requirements.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Vigie needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 setup")'
	@echo "Making .venv with the pinned requirements …"
	@test -x $(VENV)/python || $(PYTHON) -m venv .venv
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(VENV)/uv pip install --quiet --compile-bytecode --python $(VENV)/python --require-hashes -r requirements.txt
	@$(VENV)/uv pip install --quiet --python $(VENV)/python --no-deps --no-build-isolation -e .
	@$(VENV)/python -m compileall -q *.py */
	@touch $@

.venv/ready-to-test: .venv/ready-to-run requirements/dev.txt
	@echo "Adding the tools that the tests need …"
	@$(VENV)/uv pip install --quiet --compile-bytecode --python $(VENV)/python --require-hashes -r requirements/dev.txt
	@touch $@

# The tests are compiled once, not by each process of the first run.
.venv/system-ready: .venv/ready-to-test tests/install_system_packages.sh
	@PYTHON=$(VENV)/python sh tests/install_system_packages.sh
	@$(VENV)/pytest -qq -n 0 --collect-only >/dev/null || true
	@touch $@

# Dask, Ray and Spark have an environment of their own: where they are installed every model loads more slowly.
.venv/engines/ready: .venv/ready-to-run requirements/dask.txt requirements/ray.txt requirements/spark.txt
	@echo "Adding Dask, Ray and Spark …"
	@rm -f $@  # a test that finds it takes the rest for whole
	@test -x .venv/engines/bin/python || $(PYTHON) -m venv .venv/engines
	@$(VENV)/uv pip install --quiet --python .venv/engines/bin/python --require-hashes -r requirements.txt -r requirements/dask.txt -r requirements/ray.txt -r requirements/spark.txt
	@$(VENV)/uv pip install --quiet --python .venv/engines/bin/python --no-deps --no-build-isolation -e .
	@$(VENV)/uv cache clean --quiet pyspark  # published as source only: unpacked and built it leaves 2 GB there
	@touch $@

# The dashboard opens at once and shows how far the first night is; when it ends, the night ends too.
run: .venv/ready-to-run
	@$(VENV)/vigie demonstrate & night=$$!; trap "kill $$night 2>/dev/null" EXIT; trap exit INT TERM; \
	$(VENV)/vigie serve dashboard --port $(PORT) $(if $(filter 1,$(HEADLESS)),--headless)

# Tests that need nights, browsers, clusters, real servers or more than a few seconds are left to `make test`.
QUICK = not (slow or night or browser or provider or cluster or server)

# Installing waits for the network and lint takes one processor: both go on beside tests.
check:
	@$(MAKE) --no-print-directory -j 2 lint quick
	@echo "The quick checks passed. Next: make test"

test:
	@$(MAKE) --no-print-directory -j 4 lint unit .venv/engines/ready dist/vigie.cdx.json
	@echo "All checks and tests passed. Next: make run"

lint: .venv/ready-to-test
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

# Three processes on two cores: one test in ten waits for a process, a socket or a disk.
quick: .venv/system-ready
	$(VENV)/pytest -q -n $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder -m "$(QUICK)"

# The quick tests in random order, which shows what a test leaves to the next one. SEED=… repeats an order.
elsewhere: .venv/system-ready
	@seed=$(or $(SEED),$$(date +%s)); echo "Random order: make elsewhere SEED=$$seed"; \
	$(VENV)/pytest -q -n $(or $(WORKERS),2) --dist loadfile --no-loadscope-reorder -m "$(QUICK)" \
	    --random-order --random-order-seed=$$seed

# All tests in one run, the long ones first. More processes than the two cores: tests that wait for a browser or a server
# leave their core to others.
unit: .venv/system-ready
	$(VENV)/pytest -q -n $(or $(WORKERS),5) --dist loadfile --no-loadscope-reorder

# Property tests draw freely, ROUNDS times. A failure prints the decorator that repeats it: commit it with the fix.
ROUNDS ?= 10

explore: .venv/ready-to-test
	@for round in $$(seq $(ROUNDS)); do \
	    $(VENV)/pytest -q -n 2 --dist loadfile --hypothesis-profile=explore || exit 1; \
	done

# How many of 200 small faults do tests notice?
mutants: .venv/system-ready
	$(VENV)/python -m benchmarks.mutants

# Write the golden files of pages, messages and tables. Read the difference before it is committed.
golden: .venv/ready-to-test
	WRITE_GOLDEN=1 $(VENV)/pytest -q -n 2 --dist loadfile -m "not (night or browser or provider or cluster or server)" tests/dashboard $$(grep -rl check_golden tests --include='test_*.py' --exclude-dir=dashboard)
	git diff --stat -- 'tests/*/golden'

# Rooms whose texts people read; tests/dashboard/test_i18n.py reads this line.
TEXTS = app.py dashboard publish alerts reports core decisions forecasting ingest nightly store hub data

texts:
	PYTHONPATH=. $(VENV)/pybabel -q extract --mapping=data/locale/babel.cfg --no-location --sort-output --omit-header --add-comments=Translators: -k _ -k ngettext:1,2 -o data/locale/vigie.pot $(TEXTS)
	$(VENV)/pybabel -q update -D vigie -i data/locale/vigie.pot -d data/locale --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

dist/vigie.cdx.json: requirements.txt pyproject.toml benchmarks/bill_of_materials.py
	@mkdir -p dist
	@$(PYTHON) benchmarks/bill_of_materials.py > $@

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

# After all checks: a tag of the version in pyproject.toml, with its section of the changelog as message, and the bill of
# materials in dist/.
release: test
	@test -z "$$(git status --porcelain)" || { echo "commit first"; exit 1; }
	@grep -q '^## \[$(VERSION)\]' CHANGELOG.md || { echo "CHANGELOG.md has no section [$(VERSION)]"; exit 1; }
	cp dist/vigie.cdx.json dist/vigie-$(VERSION).cdx.json
	@{ echo "Vigie $(VERSION)"; sed -n '/^## \[$(VERSION)\]/,/^## \[/{/^## \[/!p}' CHANGELOG.md; } | \
	    git tag -a v$(VERSION) --cleanup=whitespace -F -
	@echo "Tagged v$(VERSION); dist/vigie-$(VERSION).cdx.json is its bill of materials. Next: git push --tags"

requirements:
	echo "$(UV)" | $(COMPILE) -o requirements/uv.txt -
	$(COMPILE) -o requirements.txt requirements/run.in
	for name in s3 dev dask ray spark; do $(COMPILE) -o requirements/$$name.txt requirements/$$name.in || exit 1; done

benchmarks: .venv/ready-to-run
	$(VENV)/python -m benchmarks.routes

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
