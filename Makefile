# What stands here runs on a machine that has Python 3.10 or newer with venv, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
ROOMS := course going_further practice reference
NBS := nbs/index.ipynb $(foreach r,$(ROOMS),$(sort $(wildcard nbs/$(r)/*.ipynb)))
# pip install of this package, in the versions as tested; extras as the argument
INSTALL = $(BIN)/pip install -q -c constraints.txt --no-build-isolation -e
export OMP_WAIT_POLICY ?= PASSIVE
export KMP_BLOCKTIME ?= 0

help:      ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/ok: constraints.txt settings.ini setup.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3,10) and f"need Python 3.10 or newer, got {sys.version}")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt torch
	$(BIN)/pip install -q -c constraints.txt setuptools wheel
	$(INSTALL) .
	touch $@

.venv/lessons-ok: .venv/ok
	$(INSTALL) '.[lessons]'
	touch $@

.venv/dev-ok: .venv/ok
	$(INSTALL) '.[dev]'
	touch $@ .venv/lessons-ok

.venv/bench-ok: .venv/ok
	$(INSTALL) '.[lessons,bench]'
	touch $@ .venv/lessons-ok

demo: .venv/ok ## restore the bundled frames, write pictures, print the scores; installs the core alone
	$(BIN)/ddnm_demo --overwrite

test: .venv/dev-ok ## export, navigation, lint, rules, wheel; then every notebook's tests
	$(BIN)/python tools/test.py

check: .venv/dev-ok ## the same without the notebooks: a minute
	$(BIN)/python tools/test.py --no-notebooks

house: .venv/dev-ok ## sizes, imports and words of the package and the notebooks, listed
	$(BIN)/python tools/check_house.py --list

lab: .venv/dev-ok ## open the notebooks
	$(BIN)/jupyter lab nbs

notebooks: .venv/dev-ok ## run all notebooks, slow cells too, and save their outputs
	$(BIN)/nbdev_export
	$(BIN)/python tools/make_figures.py
	$(BIN)/python tools/run_notebooks.py $(NBS)
	$(BIN)/nbdev_clean

readme: .venv/dev-ok ## badges, set-up cells, navigation, routes, and README.md from nbs/index.ipynb
	$(BIN)/python tools/heads.py
	$(BIN)/python tools/nav.py
	$(BIN)/python tools/make_readme.py

docs: .venv/dev-ok ## the site, into _docs
	command -v quarto >/dev/null || $(BIN)/pip install -q -c constraints.txt smalldocs
	$(BIN)/python tools/make_docs.py

check-site: docs ## no broken link, no page without a picture, no picture without alt text, sizes
	$(BIN)/python tools/check_site.py

browser-test: docs ## drive the widgets in a browser: site, JupyterLab with ipywidgets 8 and 7.7.1; needs chromium and chromium-driver
	$(BIN)/python tools/browser_test.py

solutions: .venv/dev-ok ## the folded solutions of the exercises, each in its notebook's kernel
	$(BIN)/python tools/run_solutions.py $(NBS)

colab-test: .venv/dev-ok ## every notebook alone in an environment like Colab's, slow cells left out: results/colab.jsonl
	$(BIN)/python tools/colab_test.py --resume --out results/colab.jsonl

data: data/train ## the stand-in frames that the bundled weights are trained on
data/train: .venv/ok
	$(BIN)/ddnm_make_data data/train --scenes 500 --frames 10 --size 128 --seed 0 --workers 2 --gt_only
data/six: .venv/ok
	$(BIN)/ddnm_make_data data/six --scenes 6 --frames 820 --size 128 --seed 0 --workers 2 --gt_only

RESUME = $(if $(wildcard $(1)/state.pt),--resume)
train: data/train .venv/lessons-ok ## the report's setting: 15 epochs of about 5000 frames, weights of epochs 4, 8, 12, 15; goes on where it was stopped
	$(BIN)/ddnm_train data/train --out runs/scenes --epochs 15 --precision auto $(call RESUME,runs/scenes)

data/portraits: .venv/ok
	$(BIN)/ddnm_make_data data/portraits --scenes 500 --frames 10 --size 128 --seed 0 --workers 2 --portraits
train-portraits: data/portraits .venv/lessons-ok ## the network pretrained elsewhere: portraits without an operating room
	$(BIN)/ddnm_train data/portraits --out runs/portraits --epochs 15 --precision auto $(call RESUME,runs/portraits)

train-six: data/six data/train .venv/lessons-ok ## the same with as many frames of six patients
	$(BIN)/ddnm_train data/six --val_data data/train --out runs/six --epochs 15 --precision auto $(call RESUME,runs/six)

train-long: train ## then the first run goes on from its averaged weights: the weights of the package
	$(BIN)/ddnm_train data/train --out runs/long --init runs/scenes/epoch15.safetensors --epochs 10 --keep 5,10 --lr 1e-3 --warmup 100 --seed 1 --precision auto $(call RESUME,runs/long)

# PHOTOS=folder trains on photographs of your own; on a GPU, 10 minutes:
# make train-photos PHOTO_TRAINING='--epochs 250 --bs 256 --lr 2e-3 --warmup 500 --decay .9995 --cut 64 --precision auto'
PHOTOS =
PHOTO_TRAINING = --epochs 30 --bs 16 --lr 1e-3 --decay .999 --cut 64 --precision auto
PHOTO_NETWORK = --patch 2 --ch 64 --power 3 --gamma 100 --floor 1
data/photos/cuts: .venv/ok
	$(BIN)/python tools/photos.py $(if $(PHOTOS),--folder $(PHOTOS) --out data/photos)
train-photos: data/photos/cuts .venv/lessons-ok ## a network of photographs, on 137 photographs of Debian's packages or on PHOTOS=folder; three hours on two cores, resumable
	$(BIN)/ddnm_train data/photos/cuts --out runs/photos $(PHOTO_NETWORK) --val 8 --samples 0 $(PHOTO_TRAINING) $(call RESUME,runs/photos)

photos: .venv/bench-ok ## restorations of photographs, by networks and by classical methods: results/photos.jsonl; resumable
	$(BIN)/python tools/photos_bench.py

transitions: .venv/lessons-ok ## which noise to put back: results/transitions.jsonl
	$(BIN)/python tools/transitions.py

data/large: .venv/ok
	$(BIN)/ddnm_make_data data/large --scenes 20 --frames 1 --size 720x1280 --first 2100 --seed 0 --workers 2
large-frames: data/large .venv/lessons-ok ## frames of 720 x 1280, enlarged and refined: results/large_frames.jsonl
	$(BIN)/python tools/large_frames.py data/large

data/holdout: .venv/ok
	$(BIN)/ddnm_make_data data/holdout --scenes 50 --frames 4 --size 128 --first 2000 --seed 0 --workers 2

data/learning/val: .venv/ok
	for n in 300:8 6:400 48:50; do $(BIN)/ddnm_make_data data/learning/$${n%:*} --scenes $${n%:*} --frames $${n#*:} --size 64 --seed 0 --gt_only || exit 1; done
	$(BIN)/ddnm_make_data data/learning/val --scenes 12 --frames 8 --size 64 --first 1000 --seed 0 --gt_only
learning: data/learning/val .venv/lessons-ok ## what a network learns from: results/learning.jsonl, an hour of one core; resumable
	$(BIN)/python tools/learning.py data/learning

comma := ,
space := $() $()
LIST = $(subst $(space),$(comma),$(strip $(1)))
holdout: data/holdout .venv/lessons-ok ## new patients, 50 frames, and 200 for the presets: results/holdout.jsonl
	$(BIN)/python tools/results.py --only holdout
	$(BIN)/python tools/holdout.py data/holdout --methods 0,5 --every 4 --models $(call LIST,$(foreach r,scenes six,$(foreach e,04 08 12 15,runs/$(r)/epoch$(e).safetensors)))

noisy: .venv/lessons-ok ## DDNM and both DDNM+ where y is noisy: results/noisy.jsonl
	$(BIN)/python tools/noisy.py

table: .venv/lessons-ok ## the report's table, from the committed weights: results/table1.jsonl; `make table QUICK=--quick` for a third of it
	$(BIN)/python tools/experiments.py table1 $(QUICK)

baselines tasks masks: data/holdout .venv/bench-ok ## the report's other tables: other methods, other operators, mask edges and shadows; results/baselines.jsonl and so on
	$(BIN)/python tools/experiments.py $@ $(QUICK)

report-figures: .venv/lessons-ok ## figures 2 to 5 of the report and the worst frames: compare_output/
	$(BIN)/python tools/experiments.py frames
	$(BIN)/python tools/report_figures.py

exact: .venv/lessons-ok ## every sampler against exact posteriors: results/exact.jsonl
	$(BIN)/python tools/exact.py

samplers: data/holdout .venv/lessons-ok ## samplers of the trained network by evaluations, sample deviation and coverage: results/samplers.jsonl
	$(BIN)/python tools/samplers.py data/holdout

few-steps: data/holdout .venv/lessons-ok ## the best image from 8 and from 20 evaluations: results/few_steps.jsonl
	$(BIN)/python tools/few_steps.py data/holdout

methods: data/holdout .venv/lessons-ok ## every zero-shot method at equal cost, against known posteriors and on held-out frames: results/methods.jsonl; resumable; PLAN=--plan only lists, QUICK=--quick takes ten minutes
	$(BIN)/python tools/methods.py data/holdout $(QUICK) $(PLAN)
	$(BIN)/python tools/methods.py $(QUICK) --show

calibration: data/holdout .venv/lessons-ok ## do 90 % intervals hold 90 %: results/calibration.jsonl
	$(BIN)/python tools/calibration.py data/holdout --settings fast,quick,default,careful

results: data/holdout .venv/bench-ok ## every table that depends on the bundled weights, with an estimate of the time left; resumable; PLAN=--plan only lists
	$(BIN)/python tools/results.py $(PLAN)

gpu: ## all that needs a GPU, in at most nine minutes: results/gpu.jsonl
	PYTHONPATH=. $${PYTHON:-python3} tools/gpu.py

fake-gpu: .venv/dev-ok ## what a GPU would find, without one: loops, then every notebook's cells, twenty minutes; NAMES=training for some
	$(BIN)/python tools/fake_device.py $(NAMES)
	$(if $(NAMES),,$(BIN)/python tools/fake_device.py notebooks)

bench: .venv/bench-ok ## what the sampler costs beside the network: results/bench.jsonl
	$(BIN)/python tools/bench.py

data/video: .venv/ok
	$(BIN)/ddnm_make_data data/video --scenes 6 --frames 48 --size 128 --first 3000 --seed 0 --workers 2

video: data/video .venv/lessons-ok ## videos: errors and flicker by method: results/video.jsonl and the figure of practice/video
	$(BIN)/python tools/video.py data/video --scenes 6 --methods 0,2,1,5,3,4,6 --show 3001

reading: .venv/lessons-ok ## memory and time of reading 2 GB, and 300,000 files: results/reading.jsonl
	$(BIN)/python tools/read_memory.py
	$(BIN)/python tools/read_memory.py --gb 0 --scenes 100 --frames 1000 --height 18 --every 50

bench-operators: .venv/lessons-ok ## the cost of operators: results/operators.jsonl
	$(BIN)/python tools/bench_operators.py

compare: data/train .venv/lessons-ok ## what learns most in the same time: results/comparison.jsonl
	$(BIN)/python tools/compare_training.py data/train

kill-test: .venv/lessons-ok ## twenty kills, twenty resumes, the same bits: results/kill.jsonl
	$(BIN)/python tools/kill_test.py --out results/kill.jsonl

times: .venv/lessons-ok ## time and memory of ddnm_restore by task and size of the picture: results/times.jsonl
	$(BIN)/python tools/times.py

kill-restore: .venv/lessons-ok ## a folder of pictures, killed a hundred times, by one process and by two: the same bytes: results/kill_restore.jsonl
	rm -f results/kill_restore.jsonl
	$(BIN)/python tools/kill_restore.py --kills 100 --out results/kill_restore.jsonl
	$(BIN)/python tools/kill_restore.py --kills 100 --processes 2 --out results/kill_restore.jsonl

process-test: .venv/lessons-ok ## one process against two, in training and in restoring a folder: results/processes.jsonl
	$(BIN)/python tools/process_test.py --out results/processes.jsonl

bench-train: .venv/bench-ok ## training speed beside diffusers: results/bench_train.jsonl
	$(BIN)/python tools/bench_train.py --out results/bench_train.jsonl

.PHONY: baselines bench bench-operators bench-train browser-test calibration check check-site colab-test compare \
	data demo docs exact fake-gpu few-steps gpu help holdout house kill-restore kill-test lab large-frames learning masks methods noisy notebooks \
	process-test reading readme report-figures photos train-photos results samplers solutions table tasks test train train-long \
	times train-portraits train-six transitions video
