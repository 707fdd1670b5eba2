# What stands here runs on a machine that has Python 3.10 or newer with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
NBS := nbs/index.ipynb $(sort $(wildcard nbs/[0-9]*.ipynb))
export OMP_WAIT_POLICY ?= PASSIVE
export KMP_BLOCKTIME ?= 0

help:      ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/ok: constraints.txt settings.ini setup.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3,10) and f"need Python 3.10 or newer, got {sys.version}")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt setuptools wheel
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e .
	touch $@

.venv/dev-ok: .venv/ok
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e '.[dev]'
	touch $@

demo: .venv/ok ## restore the bundled frames, write pictures, print the scores
	$(BIN)/ddnm_demo

test: .venv/dev-ok ## export and notebooks are clean, every notebook's tests pass
	$(BIN)/python tools/test.py

lab: .venv/dev-ok ## open the notebooks
	$(BIN)/jupyter lab nbs

notebooks: .venv/dev-ok ## run all notebooks, slow cells too, and save their outputs
	$(BIN)/nbdev_export
	$(BIN)/python tools/make_figures.py
	$(BIN)/python tools/run_notebooks.py $(NBS)
	$(BIN)/nbdev_clean

readme: .venv/dev-ok ## README.md from nbs/index.ipynb
	$(BIN)/python tools/make_readme.py

docs: .venv/dev-ok ## the site, into _docs
	command -v quarto >/dev/null || $(BIN)/pip install -q -c constraints.txt smalldocs
	$(BIN)/python tools/make_docs.py

data: data/train ## the stand-in frames that the bundled weights are trained on
data/train: .venv/ok
	$(BIN)/ddnm_make_data data/train --scenes 500 --frames 10 --size 128 --seed 0 --workers 2 --gt_only

train: data/train ## train the bundled network again, about 75 minutes on two cores; goes on where it was stopped
	$(BIN)/ddnm_train data/train --out runs/scenes128 --epochs 15 --lr 8e-4 --bf16 $(if $(wildcard runs/scenes128/state.pt),--resume)
	$(BIN)/ddnm_train data/train --out runs/tuned --init runs/scenes128/epoch15.safetensors --epochs 5 --keep 3 --lr 6e-4 --warmup 50 --seed 1 --bf16 $(if $(wildcard runs/tuned/state.pt),--resume)

table: .venv/ok ## which noise to put back: results/transitions.jsonl
	$(BIN)/python tools/transitions.py

.PHONY: help demo test lab notebooks readme docs data train table
