# make demo   train on real data, evaluate on data the model never saw, write predictions and a report (demo/vowels.html):
#             who speaks these vowels? Then once more where the order of the steps is what tells: is this a day in winter or in summer?
# make test   style, types, and every test
# Both set up what they need in .venv, inside this folder; nothing outside it is touched.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(name))))
BIN = .venv/bin
DATA = examples/data

.PHONY: demo test format clean

demo: .venv/ready
	@mkdir -p demo
	$(BIN)/elman train $(DATA)/JapaneseVowels_TRAIN.ts --model demo/vowels.safetensors
	$(BIN)/elman evaluate demo/vowels.safetensors $(DATA)/JapaneseVowels_TEST.ts
	$(BIN)/elman predict demo/vowels.safetensors $(DATA)/JapaneseVowels_TEST.ts --output demo/predictions.csv
	$(BIN)/elman report demo/vowels.safetensors $(DATA)/JapaneseVowels_TEST.ts --output demo/vowels.html
	$(BIN)/elman train $(DATA)/ItalyPowerDemand_TRAIN.ts --model demo/power.safetensors
	$(BIN)/elman evaluate demo/power.safetensors $(DATA)/ItalyPowerDemand_TEST.ts

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -m "not alone" --numprocesses auto --maxprocesses 4 --dist worksteal
	$(BIN)/pytest -m alone

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "elman needs Python 3.11 or newer; none was found. Name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

clean:
	rm -rf .venv demo
