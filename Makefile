# Every target does its own set-up into .venv and dashboard/web/node_modules; all are safe to repeat.
.PHONY: setup demo test check bench lock clean

CAMERAS ?= 16
PORT ?= 8700
ARGS ?=

setup:  ## install Python and page dependencies, build the page
	@scripts/setup

demo: setup  ## start the demo district; CAMERAS=727 for all of them
	@.venv/bin/gridpatrol demo --cameras $(CAMERAS) --port $(PORT) $(ARGS)

test: setup  ## run every test; those whose peer is not installed say so
	@.venv/bin/python -m pytest -q -n 2 --dist loadfile $(ARGS)
	@cd dashboard/web && npm test --silent

check: setup  ## ruff, mypy --strict, tsc, eslint
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@cd dashboard/web && npm run --silent typecheck && npm run --silent lint

bench: setup  ## short runs of every benchmark, one JSON object each
	@.venv/bin/python -m benchmarks $(ARGS)

lock: setup  ## pin every dependency anew, with hashes and without a host
	@.venv/bin/pip install --quiet pip-tools
	@.venv/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --extra dev \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header -o constraints.txt pyproject.toml
	@# pip-compile forgets where a package exists; atheris has wheels for this platform only
	@sed -i "s/^\(atheris==[^ ]*\) /\1 ; python_version < '3.14' and sys_platform == 'linux' and platform_machine == 'x86_64' /" constraints.txt

clean:  ## forget what set-up made
	@rm -rf .venv dashboard/web/node_modules dashboard/web/dist .demo
