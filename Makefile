.venv/.set-up: requirements/research.txt requirements/dev.txt pyproject.toml
	python3 -m venv .venv
	.venv/bin/python -m pip install --no-deps --no-compile --require-hashes --only-binary :all: -r requirements/research.txt -r requirements/dev.txt
	.venv/bin/python -m pip install --no-deps --no-build-isolation --editable .
	touch .venv/.set-up
