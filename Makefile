# What stands here runs on a machine that has Python 3.10 or newer with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
NBS := nbs/index.ipynb $(sort $(wildcard nbs/[0-9]*.ipynb)) $(sort $(wildcard nbs/tutorials/*.ipynb))
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

readme: .venv/dev-ok ## badges, navigation, maps, and README.md from nbs/index.ipynb
	$(BIN)/python tools/heads.py
	$(BIN)/python tools/nav.py
	$(BIN)/python tools/make_readme.py

docs: .venv/dev-ok ## the site, into _docs
	command -v quarto >/dev/null || $(BIN)/pip install -q -c constraints.txt smalldocs
	$(BIN)/python tools/make_docs.py

check-site: docs ## no broken link, no page without a picture, no picture without alt text, sizes
	$(BIN)/python tools/check_site.py $(if $(shell command -v quarto),--online)

browser-test: docs ## drive the widgets in a browser: site, JupyterLab with ipywidgets 8 and 7.7.1; needs chromium and chromium-driver
	$(BIN)/python tools/browser_test.py

solutions: .venv/dev-ok ## the folded solutions of the exercises, each in its notebook's kernel
	$(BIN)/python tools/run_solutions.py nbs/0*.ipynb nbs/1[0-3]*.ipynb

colab-test: .venv/dev-ok ## every notebook alone in an environment like Colab's, slow cells left out: results/colab.jsonl
	$(BIN)/python tools/colab_test.py --resume --out results/colab.jsonl

data: data/train ## the stand-in frames that the bundled weights are trained on
data/train: .venv/ok
	$(BIN)/ddnm_make_data data/train --scenes 500 --frames 10 --size 128 --seed 0 --workers 2 --gt_only
data/six: .venv/ok
	$(BIN)/ddnm_make_data data/six --scenes 6 --frames 820 --size 128 --seed 0 --workers 2 --gt_only

RESUME = $(if $(wildcard $(1)/state.pt),--resume)
train: data/train ## the report's setting: 15 epochs of about 5000 frames, weights of epochs 4, 8, 12, 15; goes on where it was stopped
	$(BIN)/ddnm_train data/train --out runs/scenes --epochs 15 --bf16 $(call RESUME,runs/scenes)

data/portraits: .venv/ok
	$(BIN)/ddnm_make_data data/portraits --scenes 500 --frames 10 --size 128 --seed 0 --workers 2 --portraits
train-portraits: data/portraits ## the network pretrained elsewhere: portraits without an operating room
	$(BIN)/ddnm_train data/portraits --out runs/portraits --epochs 15 --bf16 $(call RESUME,runs/portraits)

train-six: data/six data/train ## the same with as many frames of six patients
	$(BIN)/ddnm_train data/six --val_data data/train --out runs/six --epochs 15 --bf16 $(call RESUME,runs/six)

train-long: train ## then the first run goes on from its averaged weights: the weights of the package
	$(BIN)/ddnm_train data/train --out runs/long --init runs/scenes/epoch15.safetensors --epochs 10 --keep 5,10 --lr 1e-3 --warmup 100 --seed 1 --bf16 $(call RESUME,runs/long)

transitions: .venv/ok ## which noise to put back: results/transitions.jsonl
	$(BIN)/python tools/transitions.py

data/holdout: .venv/ok
	$(BIN)/ddnm_make_data data/holdout --scenes 50 --frames 4 --size 128 --first 2000 --seed 0 --workers 2

comma := ,
space := $() $()
LIST = $(subst $(space),$(comma),$(strip $(1)))
holdout: data/holdout ## 200 frames of 50 new patients: results/holdout.jsonl
	$(BIN)/python tools/holdout.py data/holdout --methods 0,1,2,3,4,6,7,8,9
	$(BIN)/python tools/holdout.py data/holdout --methods 7,10,11 --every 4
	$(BIN)/python tools/holdout.py data/holdout --methods 0,5 --every 4 --models $(call LIST,$(foreach r,scenes six,$(foreach e,04 08 12 15,runs/$(r)/epoch$(e).safetensors)))

noisy: .venv/ok ## DDNM and both DDNM+ where y is noisy: results/noisy.jsonl
	$(BIN)/python tools/noisy.py

table: .venv/ok ## the report's table, from the committed weights: results/table1.jsonl; `make table QUICK=--quick` for a third of it
	$(BIN)/python tools/experiments.py table1 $(QUICK)

baselines tasks masks: data/holdout ## the report's other tables: other methods, other operators, mask edges and shadows; results/baselines.jsonl and so on
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e '.[bench]'
	$(BIN)/python tools/experiments.py $@ $(QUICK)

report-figures: .venv/ok ## figures 2 to 5 of the report and the worst frames: compare_output/
	$(BIN)/python tools/experiments.py frames
	$(BIN)/python tools/report_figures.py

oracle: .venv/ok ## every sampler against exact posteriors: results/oracle.jsonl
	$(BIN)/python tools/oracle.py

samplers: data/holdout ## samplers of the trained network by calls, spread and coverage: results/samplers.jsonl
	$(BIN)/python tools/samplers.py data/holdout

calibration: data/holdout ## do 90 % intervals hold 90 %: results/calibration.jsonl
	$(BIN)/python tools/calibration.py data/holdout --settings fast,quick,default,careful

bench: .venv/ok ## what the sampler costs beside the network: results/bench.jsonl
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e '.[bench]'
	$(BIN)/python tools/bench.py

data/film: .venv/ok
	$(BIN)/ddnm_make_data data/film --scenes 6 --frames 48 --size 128 --first 3000 --seed 0 --workers 2

film: data/film ## films: errors and flicker by method: results/film.jsonl and the film of notebook 20
	$(BIN)/python tools/film.py data/film --scenes 6 --methods 0,2,1,5,3,4,6 --show 3001

reading: .venv/ok ## memory and time of reading 2 GB, and 300,000 files: results/reading.jsonl
	$(BIN)/python tools/read_memory.py
	$(BIN)/python tools/read_memory.py --gb 0 --scenes 100 --frames 1000 --height 18 --every 50

bench-operators: .venv/ok ## the cost of operators: results/operators.jsonl
	$(BIN)/python tools/bench_operators.py

compare: data/train ## what learns most in the same time: results/comparison.jsonl
	$(BIN)/python tools/compare_training.py data/train

kill-test: .venv/ok ## twenty kills, twenty resumes, the same bits: results/kill.jsonl
	$(BIN)/python tools/kill_test.py --out results/kill.jsonl

process-test: .venv/ok ## one process against two: results/processes.jsonl
	$(BIN)/python tools/process_test.py --out results/processes.jsonl

bench-train: .venv/ok ## training speed beside diffusers: results/bench_train.jsonl
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e '.[bench]'
	$(BIN)/python tools/bench_train.py --out results/bench_train.jsonl

.PHONY: solutions report-figures train-portraits table baselines tasks masks transitions film reading samplers calibration oracle bench help demo test lab notebooks readme docs check-site browser-test colab-test data train train-six train-long table holdout noisy bench-operators compare kill-test process-test bench-train
