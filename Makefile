# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
#
#   make setup              everything below into .venv, build and install (nothing outside this folder)
#   make demo [VIDEO=path]  the main job on the shipped clip, or on yours
#   make test               lint, types and every test
#   make lint | format      only the checks | apply the formatter
#   make clean              remove what was built (not .venv)
#
# With ROS 2 sourced (ROS_DISTRO set) its rclpy, NumPy and colcon are used and no ROS wheels are installed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:
.PHONY: setup demo test lint format clean check-system FORCE

PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin

# Demo and tests talk to this machine only.
export ROS_AUTOMATIC_DISCOVERY_RANGE := LOCALHOST
ifeq ($(ROS_DISTRO),humble)
export ROS_LOCALHOST_ONLY := 1
endif

ifdef ROS_DISTRO
EXTRAS := dev,train
VENV_OPTIONS := --system-site-packages
NEWEST_PYTHON := 14
# cv_bridge and rclpy were built against the distribution's NumPy: stay on its side of version 2.
PIP_PINS := torch==2.13.0 "$(shell $(PYTHON) -c 'import numpy; print("numpy<2" if numpy.__version__ < "2" else "numpy>=2")')"
PREFIXES :=
else
EXTRAS := ros,dev,mediapipe,train,teleop,view
VENV_OPTIONS :=
# For newer ones there are no wheels of ROS.
NEWEST_PYTHON := 13
PIP_PINS := -c constraints.txt
# The virtual environment is the ROS prefix.
PREFIXES := AMENT_PREFIX_PATH="$(VENV)" CMAKE_PREFIX_PATH="$(VENV)"
endif

INSTALLED := $(VENV)/.installed
BUILT := install/.built
FILE_LIST := build/.files
# The source tree comes first, so that what runs is what is being edited.
# colcon reads variables that nobody set.
ENTER := set +u; source install/setup.bash; set -u; export PYTHONPATH="$(CURDIR):$$PYTHONPATH"

setup: $(BUILT)

check-system:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, $(NEWEST_PYTHON)))' || \
	  { echo "Python 3.10 to 3.$(NEWEST_PYTHON) is needed, $(PYTHON) is another; try: make PYTHON=python3.11 ..." >&2; exit 1; }
	@header="$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h"; \
	if ! command -v cmake >/dev/null || ! command -v c++ >/dev/null || [ ! -f "$$header" ] \
	    || ! $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	  echo "Missing on this machine: cmake, a C++ compiler, Python's headers or venv. On Debian and Ubuntu:" >&2; \
	  echo "  sudo apt install build-essential cmake python3-dev python3-venv libgl1 libegl1 libglib2.0-0" >&2; \
	  exit 1; \
	fi

$(INSTALLED): setup.cfg setup.py constraints.txt | check-system
	@[ -x $(BIN)/python ] || { echo "Creating .venv"; $(PYTHON) -m venv $(VENV_OPTIONS) $(VENV); }
	@touch $(VENV)/COLCON_IGNORE
	@echo "Installing dependencies into .venv (the first time: some minutes)"
	@mkdir -p build
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off $(PIP_PINS) -e ".[$(EXTRAS)]" 2>&1 \
	  | tee build/pip.log | sed -unE 's/^ *(Downloading .*)/  \1/p; s/^(Installing collected packages):.*/  \1/p' \
	  || { grep -v "^WARNING" build/pip.log | tail -n 30; exit 1; }
	@touch $@

# Python, launch and configuration files are installed as links: only new or removed ones need a build.
$(FILE_LIST): FORCE
	@mkdir -p build
	@find hmp_core hmp_ros launch config -type f -not -path '*/__pycache__/*' | LC_ALL=C sort > $@.tmp
	@cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

$(BUILT): $(INSTALLED) $(FILE_LIST) CMakeLists.txt package.xml $(wildcard msg/*.msg)
	@echo "Building messages and package with colcon"
	@export VIRTUAL_ENV="$(VENV)" PATH="$(BIN):$$PATH" PYTHONWARNINGS=ignore $(PREFIXES); \
	$(BIN)/python -m colcon --log-base build/log --log-level error build --symlink-install \
	  --event-handlers console_cohesion- console_stderr- console_direct- status- summary- \
	  --cmake-args -DPython3_EXECUTABLE="$(BIN)/python" > build/colcon.log 2>&1 \
	  || { tail -n 40 build/log/latest_build/hmp_ros/stdout_stderr.log build/colcon.log; exit 1; }
	@echo "Compiling the solver's loops"
	@$(ENTER) && $(BIN)/python -c "from hmp_core.pipeline import open_pipeline; open_pipeline()"
	@touch $@

demo: $(BUILT)
	@$(ENTER) && $(BIN)/python -m hmp_ros.demo $(if $(VIDEO),"$(VIDEO)")

test: lint
	@$(ENTER) && $(BIN)/python -m pytest

lint: $(BUILT)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(INSTALLED)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf build install log out dist .pytest_cache .mypy_cache .ruff_cache *.egg-info
