# Each target makes and fills the environment it needs (scripts/bootstrap), then does its work.
# Another interpreter: make run PYTHON=/path/to/python3.12
# More arguments:      make run ARGS="--seed 7"

export ARGS

RUN = mkdir -p "$$OUT_DIR" && exec polybawt backtest --report "$$OUT_DIR/report.html"
TEST = pytest -n auto --maxprocesses 8
LINT = ruff format --check && ruff check && mypy && lint-imports --no-logo --no-cache
CHECK = $(LINT) && $(TEST) --strict-skips

.PHONY: help run test check bench lock clean

help:
	@echo 'make run    replay the shipped sample and write out/report.html'
	@echo 'make test   the tests, in random order, without network'
	@echo 'make check  format, lint, types, import rules and the tests: what CI runs'
	@echo 'make bench  our speed beside other projects, in an environment of its own'
	@echo 'make lock   resolve locks/*.in again (needs uv)'
	@echo 'make clean  remove environments, caches and reports'

run:
	@scripts/bootstrap run '$(RUN)'

test:
	@scripts/bootstrap test '$(TEST)'

check:
	@scripts/bootstrap test '$(CHECK)'

bench:
	@scripts/bootstrap peers 'exec python -m bench'

lock:
	@scripts/lock

clean:
	rm -rf .venv .venv.* .venv-bench .venv-bench.* out .coverage .hypothesis
	rm -rf .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
