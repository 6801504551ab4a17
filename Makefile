# The one entry. Every target installs what it lacks (Debian packages as root or through sudo, Python packages into
# .venv), and a second run does only what changed.
#
#   make         .venv/ with the package built and importable: .venv/bin/python -c "import microtome"
#   make demo    reads a slide (SLIDE=path, or one it makes) with numbers beside tifffile's and a picture in demo/
#   make test    every suite: C++, layers, format, sanitizers, short fuzzing, Python; ends with the counts
#   make bench   every task beside the other readers, on made slides, in half an hour; FULL=1: full sizes, in hours;
#                BENCH="--quick" or other options of bench/run.py; CUCIM21= a Python 3.9 that has cucim 21.12.1
#   make jpeg-race  our JPEG decoder against libjpeg-turbo, tile by tile, on every instruction set of this machine
#   make jpeg2000-race    our JPEG 2000 decoder against OpenJPEG, likewise
#   make bench-count    instructions of fixed jobs against bench/count/expected.json; UPDATE=1 writes it anew
#   make docs    the documentation in build/site, from docs/ and the package's docstrings
#   make fuzz    longer fuzzing (FUZZ_SECONDS per target, 300 unless told)
#   make jpeg-proof    our JPEG decoder against libjpeg-turbo with every instruction set: TILES random tiles (1000000 unless
#                told), then every JPEG tile of the files in SLIDES; ended early, it goes on where it stood
#   make jpeg2000-proof    the same for our JPEG 2000 decoder against OpenJPEG
#   make scatter-proof the GPU kernel's body, compiled for the host, against the CPU path: PIECES random pieces (1000000 unless told)
#   make asan, make tsan    all C++ tests under the address and undefined-behaviour sanitizers, the thread sanitizer
#   make test-examples  everything in examples/, and Microtome beside PyTorch, pyvips, OpenSlide and cuCIM in every order
#   make wheel   wheels and an sdist in dist/, tried where nothing else of ours is (ONLY="cp311 abi3 sdist" for some of them)
#   make format  formats all sources;  make clean

VENV := .venv
FUZZ_SECONDS ?= 300

# The first Python that is new enough; the system's own first, since a version manager's shims may point anywhere.
PYTHON ?= $(shell for p in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$p" && break; done)

INSTALL = @$(PYTHON) tools/install_package.py $(VENV)
RUN_TESTS = @$(PYTHON) tools/run_tests.py --venv $(VENV)

.PHONY: all demo test test-examples bench jpeg-race jpeg2000-race bench-count docs fuzz jpeg-proof jpeg2000-proof asan tsan format wheel clean packages-build packages-demo packages-bench packages-test requirements

all: packages-build
	$(INSTALL)
	@echo "microtome is installed: $(VENV)/bin/python -c 'import microtome'"

demo: packages-demo
	$(INSTALL) --extras demo
	@$(VENV)/bin/python tools/demo.py $(if $(SLIDE),"$(SLIDE)")

test: requirements
	$(RUN_TESTS)

BENCH_SLIDES := build/slides$(if $(FULL),-full)
bench: packages-bench
	$(INSTALL) --extras demo
	@$(VENV)/bin/python tools/make_slides.py $(BENCH_SLIDES) --only A B C D E F many-tiles --keep \
	  --scale $(if $(FULL),1,1/16)
	$(if $(FULL),,@$(VENV)/bin/python tools/make_slides.py build/slides-full --only B D --keep --scale 1)
	@$(VENV)/bin/python bench/setup_peers.py build/peers-venv
	@$(VENV)/bin/python bench/build_floor.py
	@$(VENV)/bin/python bench/run.py $(BENCH_SLIDES) --json build/bench.json --done-when \
	  --floor build/release/bench/floors/microtome_floor --peers build/peers-venv/bin/python $(if $(CUCIM21),--cucim21 "$(CUCIM21)") $(BENCH)

RACE := --rounds 9 --recode 30:420 --recode 75:420 --recode 90:420 --recode 75:444
jpeg-race: packages-bench
	$(INSTALL) --extras demo
	@$(VENV)/bin/python tools/make_slides.py build/slides --only B D F --keep --scale 1/16
	@$(VENV)/bin/python bench/build_floor.py
	@build/release/bench/floors/microtome_tile_race $(RACE) build/slides/B.tif build/slides/D.tif build/slides/F.tif

RACE2000 := --rounds 7 --reduce 1 --reduce 2 --reduce 3 --recode 5/3 --recode white --recode grey
jpeg2000-race: packages-bench
	$(INSTALL) --extras demo
	@$(VENV)/bin/python tools/make_slides.py build/slides --only A C --keep --scale 1/16
	@$(VENV)/bin/python bench/build_floor.py
	@build/release/bench/floors/microtome_tile_race $(RACE2000) build/slides/C.svs build/slides/A.svs \
	  $(wildcard $(SLIDES)/aperio/CMU-1-JP2K-Region.svs $(SLIDES)/aperio/1065626.svs)

bench-count: requirements
	$(RUN_TESTS) count $(if $(UPDATE),--update-counts && cat build/test-logs/count.log)

docs: packages-build
	$(INSTALL) --requirements-only --extras docs
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict
	@echo "build/site/index.html; to search in it: $(VENV)/bin/python -m http.server --bind 127.0.0.1 --directory build/site"

fuzz: requirements
	$(RUN_TESTS) fuzz --fuzz-seconds $(FUZZ_SECONDS)

TILES ?= 1000000
SLIDES ?= $(or $(MICROTOME_SLIDES),../shared/slides)
JOBS := $(shell nproc)
jpeg-proof jpeg2000-proof: %-proof: packages-test
	@cmake --preset release > /dev/null && cmake --build build/release --parallel $(JOBS) --target codec_proof
	@mkdir -p build/$*-proof
	build/release/tests/cpp/codec_proof $* --random $(TILES) --jobs $(JOBS) --state build/$*-proof/$(TILES)-by-$(JOBS) \
	  $(if $(wildcard $(SLIDES)),--files $(SLIDES))

PIECES ?= 1000000
scatter-proof: packages-test
	@cmake --preset release > /dev/null && cmake --build build/release --parallel $(JOBS) --target read_tests
	MICROTOME_SCATTER_PIECES=$(PIECES) build/release/src/microtome/read/read_tests --gtest_filter='Scatter.*'

asan tsan: requirements
	$(RUN_TESTS) $@ --all-layers

format: requirements
	$(RUN_TESTS) format --fix

test-examples: requirements
	@tools/install_packages.sh examples
	$(RUN_TESTS) examples install

wheel: packages-build
	$(INSTALL) --requirements-only --extras demo
	@$(VENV)/bin/python tools/build_wheels.py dist $(if $(ONLY),--only $(ONLY))

clean:
	rm -rf build dist demo $(VENV)

packages-build:
	@tools/install_packages.sh build

packages-demo:
	@tools/install_packages.sh build demo

packages-bench:
	@tools/install_packages.sh build demo bench

packages-test:
	@tools/install_packages.sh build demo bench test

requirements: packages-test
	$(INSTALL) --requirements-only --extras test demo
