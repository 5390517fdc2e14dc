# Each target makes and fills the environment it needs (scripts/bootstrap) and then does its work.
# Another interpreter: make run PYTHON=/path/to/python3.12     More arguments: make run ARGS="--seed 7"

export ARGS
PYTEST = pytest -n auto --maxprocesses 8

.PHONY: help run test check bench lock clean

help:
	@echo 'make run    replay the shipped sample and write out/report.html'
	@echo 'make test   the tests, in random order, without network'
	@echo 'make check  format, lint, types, import rules and the tests: what CI runs'
	@echo 'make bench  our speed beside other projects, in an environment of its own'
	@echo 'make lock   resolve locks/*.in again (needs uv)'
	@echo 'make clean  remove environments, caches and reports'

run:
	@scripts/bootstrap run 'mkdir -p "$$OUT_DIR" && exec polybawt backtest --report "$$OUT_DIR/report.html"'

test:
	@scripts/bootstrap test '$(PYTEST)'

check:
	@scripts/bootstrap test 'ruff format --check && ruff check && mypy && lint-imports && $(PYTEST) --strict-skips'

bench:
	@scripts/bootstrap peers 'exec python -m bench'

lock:
	@scripts/lock

clean:
	rm -rf .venv .venv.* .venv-bench .venv-bench.* out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find src tests bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
