# The commands of README.md. Each does all the set-up it needs; run again, it does only what changed.

SHELL := /bin/bash
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/.venv/bin:$(PATH)

PYTHON_IN_VENV := .venv/bin/python
BENCH := -m tf_vsinit bench
TEST_EVENTS := .bazel_test_events.json
# Bazel 4 to 7 have these rules built in; loading them would need a download.
NATIVE_RULES := -native-cc-binary,-native-cc-library,-native-cc-test,-native-sh-test
# Everything of ours but what Bazel and configure.sh made.
FIND := find . \( -path './.*' -o -path './bazel-*' \) -prune -o -type f

.PHONY: help configure build demo test bench lint clean

help:
	@echo "make demo    set up, build and run the main job"
	@echo "make test    set up, build and run every test"
	@echo "make build   leave .venv/bin/python able to import tf_vsinit from here"
	@echo "make bench   time it beside stock TensorFlow (BENCH='...' to run another benchmark)"
	@echo "make lint    check the style of Python, C++ and Starlark"
	@echo "make clean   remove what was built (.venv and .tools stay)"

configure:
	@./configure.sh

build: configure
	bazelisk build //tf_vsinit
	@tools/stage.sh

demo: build
	$(PYTHON_IN_VENV) examples/demo.py

# Bazel names the targets that failed; the summary counts the cases in them.
test: configure
	@rm -f $(TEST_EVENTS)
	@bazelisk test //... --build_event_json_file=$(TEST_EVENTS); bazel_status=$$?; \
	$(PYTHON_IN_VENV) tools/test_summary.py $(TEST_EVENTS) && exit $$bazel_status

bench: build
	$(PYTHON_IN_VENV) $(BENCH)

# Says all that is wrong, not only what is wrong first.
lint: configure
	@status=0; \
	ruff check . || status=1; \
	ruff format --check . || status=1; \
	$(FIND) \( -name '*.cc' -o -name '*.h' -o -name '*.cu' \) -print0 | \
		xargs -0 --no-run-if-empty clang-format --dry-run -Werror || status=1; \
	$(FIND) \( -name WORKSPACE -o -name BUILD -o -name '*.BUILD' -o -name '*.bzl' \) -print0 | \
		xargs -0 buildifier -mode=check -lint=warn -warnings=$(NATIVE_RULES) || status=1; \
	exit $$status

clean:
	[[ ! -x .tools/bin/bazelisk ]] || bazelisk clean
	rm -f tf_vsinit/_build_info.py tf_vsinit/*.so $(TEST_EVENTS)
	find tf_vsinit tests examples benchmarks tools -name __pycache__ -prune -exec rm -r {} + 2>/dev/null || true
	rm -rf .pytest_cache .ruff_cache .hypothesis
