# The commands of README.md. Each does the set-up that it needs and skips what is up to date.

SHELL := /bin/bash
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/.venv/bin:$(PATH)

PYTHON_IN_VENV := .venv/bin/python
BENCH := -m tf_vsinit bench
TEST_EVENTS := .bazel_test_events.json
# Bazel 4 to 7 have these rules built in. Loading them from rules_cc would need a download.
NATIVE_RULES := -native-cc-binary,-native-cc-library,-native-cc-test,-native-sh-test
# Finds the files of the repository, without those that Bazel and configure.sh made.
FIND := find . \( -path './.*' -o -path './bazel-*' \) -prune -o -type f

.PHONY: help configure build demo test test-quick sanitize fuzz bench statistics wheel wheels lint \
	compile_commands clean

help:
	@echo "make demo    set up, build and run the demo"
	@echo "make test    set up, build and run every test"
	@echo "make test-quick   the same, without the slowest tests"
	@echo "make sanitize     run the C++ tests with AddressSanitizer, then with those of undefined behaviour and of threads"
	@echo "make fuzz    fuzz the C++ with libFuzzer (SECONDS=60 for each target)"
	@echo "make build   build the library; then .venv/bin/python can import tf_vsinit"
	@echo "make bench   compare its speed with stock TensorFlow's (BENCH='...' runs another benchmark)"
	@echo "make statistics   test the randomness of the streams, and write docs/statistics.md"
	@echo "make wheel   make a wheel in dist/ for the TensorFlow in .venv"
	@echo "make wheels  make a wheel in dist/ for every TensorFlow line that is supported"
	@echo "make lint    check the style of Python, C++ and Starlark, and the types of Python"
	@echo "make compile_commands   write compile_commands.json, for editors"
	@echo "make clean   remove what was built, but not .venv and .tools"

configure:
	@./configure.sh

build: configure
	$(PYTHON_IN_VENV) tools/build_libraries.py tf_vsinit

wheel wheels: configure
	$(PYTHON_IN_VENV) tools/build_libraries.py .tools/libraries $(LINES)
	tools/make_wheel.sh dist .tools/libraries

wheels: LINES := all

demo: build
	$(PYTHON_IN_VENV) examples/demo.py

# Bazel reports targets. The summary reports the test cases in them.
test test-quick: configure
	@rm -f $(TEST_EVENTS)
	@bazelisk test //... $(TEST_FILTER) --build_event_json_file=$(TEST_EVENTS); bazel_status=$$?; \
	$(PYTHON_IN_VENV) tools/test_summary.py $(TEST_EVENTS) && exit $$bazel_status

test-quick: TEST_FILTER := --build_tests_only --test_tag_filters=-slow

# Every C++ test with each of gcc's sanitizers, except for those whose tags say no-sanitizer.
sanitize: configure
	@status=0; \
	for sanitizer in asan ubsan tsan; do \
		bazelisk test //cc/... --config=$${sanitizer} || status=1; \
	done; exit $$status

fuzz: SECONDS := 60
fuzz: configure
	@command -v clang++ clang++-19 >/dev/null || \
		tools/apt_install.sh clang-19 libclang-rt-19-dev
	bazelisk test //cc/fuzz:fuzz_test --test_env=FUZZ_SECONDS=$(SECONDS) --test_output=streamed \
		--nocache_test_results --test_timeout=$$((3 * $(SECONDS) + 1800))

bench: build
	$(PYTHON_IN_VENV) $(BENCH)

# The report says that dieharder was skipped if it cannot be installed.
statistics: build
	@command -v dieharder >/dev/null || tools/apt_install.sh dieharder || true
	$(PYTHON_IN_VENV) -m tests.randomness.battery
	$(PYTHON_IN_VENV) -m tests.randomness.report

# Runs all checks, even after one fails.
lint: configure
	@status=0; \
	ruff check . || status=1; \
	ruff format --check . || status=1; \
	mypy || status=1; \
	$(FIND) \( -name '*.cc' -o -name '*.h' -o -name '*.cu' \) -print0 | \
		xargs -0 --no-run-if-empty clang-format --dry-run -Werror || status=1; \
	$(FIND) \( -name WORKSPACE -o -name BUILD -o -name '*.BUILD' -o -name '*.bzl' \) -print0 | \
		xargs -0 buildifier -mode=check -lint=warn -warnings=$(NATIVE_RULES) || status=1; \
	exit $$status

compile_commands: configure
	$(PYTHON_IN_VENV) tools/compile_commands.py

clean:
	[[ ! -x .tools/bin/bazelisk ]] || bazelisk clean
	rm -f tf_vsinit/_vsinit_*.so tf_vsinit/_vsinit_*.json $(TEST_EVENTS)
	find tf_vsinit tests examples benchmarks tools -name __pycache__ -prune -exec rm -r {} + 2>/dev/null || true
	rm -rf build dist compile_commands.json *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
