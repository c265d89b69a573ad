# Every verb sets up `.venv` first when it has to; see services/bootstrap.py. `make` alone lists the verbs.
.DEFAULT_GOAL := help
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE # the last costs each run of the tests three seconds
export PYTHON

BIN := .venv/bin
LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
# Many tests wait for other processes, so there are more workers than cores. A file is a unit, for some tests go through a life in their order; chaos, which takes longest, is the first to begin.
BESIDE := -n 5 --dist loadfile --no-loadscope-reorder
FRAMES := 1000000
ROUNDS := 100
SEEDS := 1000

.PHONY: help setup lock check test sim mutants fuzz bench chaos demo up down status logs clean

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup:  ## build or repair the environment in .venv
	@sh services/bootstrap.sh

check: setup  ## formatting, lint, types, import contracts and the rules of the house
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	@echo '$(BIN)/lint-imports'; report=$$($(BIN)/lint-imports --no-logo) || { echo "$$report"; exit 1; }
	$(BIN)/python -m pytest -q tests/house

test: setup  ## run the tests, five beside each other; the rules of the house are `make check`'s
	$(BIN)/python -m pytest -q $(BESIDE) --ignore=tests/house

sim: setup  ## run the order path under faults on virtual time; SEEDS=1000 says how many runs, FIRST=n where they begin
	$(BIN)/python -m tests.simulation $(SEEDS) $(FIRST)

mutants: setup  ## make defects on purpose, one at a time, and let the simulation find each
	$(BIN)/python -m tests.simulation.hunt

bench: setup  ## measure latency and throughput on this machine
	$(BIN)/python -m tests.bench

fuzz: setup  ## throw damaged frames at the codec; FRAMES=1000000 says how many
	$(BIN)/python -m tests.proto.fuzz $(FRAMES)

chaos: setup  ## kill and stop real processes at random; ROUNDS=100 says how often, SEED=n repeats a run
	$(BIN)/python -m tests.chaos $(ROUNDS) $(SEED)
	$(BIN)/python -m tests.services.sim_exchange.kills $(ROUNDS) $(SEED)
	$(BIN)/python -m tests.trading $(ROUNDS) $(SEED)

demo: setup  ## start the mesh on a simulated exchange, and say what to look at
	@$(BIN)/bowline demo

up: setup  ## start the mesh, and wait until all is well
	@$(BIN)/bowline up

down: setup  ## stop the mesh in order
	@$(BIN)/bowline down

status: setup  ## show every process of the mesh
	@$(BIN)/bowline status

logs: setup  ## follow the logs of the mesh until Ctrl-C
	@$(BIN)/bowline logs

lock: $(BIN)/uv  ## renew requirements/*.txt after pyproject.toml changed; UPGRADE=--upgrade takes newer versions
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements/mesh.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra research -c requirements/mesh.txt -o requirements/research.txt
	$(LOCK) $(UPGRADE) --group dev -c requirements/mesh.txt -c requirements/research.txt -o requirements/dev.txt

$(BIN)/uv: # not through `setup`: that stops while the locks lag behind pyproject.toml, which `lock` is there to mend
	@sh services/bootstrap.sh

clean:  ## remove the environment and what tools cached; var/, user_data/ and config/ stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
