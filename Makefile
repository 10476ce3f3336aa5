# The newest of these that runs; any from 3.9 on will do.
PYTHON ?= $(firstword $(foreach python,python3.13 python3.12 python3.11 python3.10 python3.9 python3, \
	$(if $(shell $(python) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null && echo yes),$(python))))
BIN := .venv/bin
# Runs a command as a step, and says how long it takes.
STEP = @$(PYTHON) -B -m tests.progress
.DEFAULT_GOAL := help

ifeq ($(PYTHON),)
$(error txstorage needs Python 3.9 or newer; give its path as PYTHON=)
endif

.PHONY: help demo demo-docker demo-flocker test mutants test-faults test-pythons test-all test-openstack test-flocker test-acceptance test-fresh test-aws test-clients lint docs bench clean \
	environment buildbot buildbot-stop test-buildbot packages release-check test-packages test-docker test-docker-all test-guests docker-plugin picture picture-docker picture-flocker picture-page

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

environment:
	@$(PYTHON) -m tests.run --prepare

demo: environment ## see a volume made, attached, written, moved, read and destroyed; with CLOUD=ec2, through EC2's API
	@$(BIN)/txstorage demo $(addprefix --cloud=,$(CLOUD))

demo-docker: environment ## see a database in a container move between machines that are made for it (as root, on Debian)
	@$(BIN)/python -W ignore -m tests.docker.demo

demo-flocker: environment ## see the same with FLOCKER_PYTHON's Flocker and its own Docker plugin (as root, on Debian)
	@$(BIN)/python -W ignore -m tests.acceptance.demo $(addprefix --agents=,$(AGENTS))

test: ## run the tests on Python 3 and, where there is one, on 2.7
	@$(PYTHON) -m tests.run

mutants: environment ## count the defects that the tests do not see, in MODULE=txstorage.driver.lifecycle
	@nice $(BIN)/python -W ignore -m tests.mutants.run $(MODULE) $(if $(TESTS),--tests $(TESTS))

test-pythons: ## run the tests on every Python there is
	@$(PYTHON) -m tests.run --all

test-all: ## run everything; Flocker's tests too where FLOCKER_PYTHON says which
	@$(if $(FLOCKER_PYTHON),:,echo "--- no FLOCKER_PYTHON: test-flocker and test-acceptance are left out")
	@$(PYTHON) -m tests.targets lint test-pythons test-openstack test-packages test-docker-all test-guests test-fresh test-aws test-clients test-buildbot \
		$(if $(FLOCKER_PYTHON),test-flocker test-acceptance)

test-openstack: ## run the tests that need a real OpenStack, on one that this brings up (as root)
	@$(PYTHON) -m tests.openstack.run

test-flocker: ## run Flocker's own tests, and a whole Flocker, on FLOCKER_PYTHON=/path/to/python2.7
	@$(PYTHON) -m tests.flocker.run

test-acceptance: environment ## run Flocker's acceptance tests on machines with FLOCKER_PYTHON's Flocker (as root, on Debian)
	@$(BIN)/python -W ignore -m tests.acceptance.run $(addprefix --agents=,$(AGENTS)) $(addprefix --mongodb=,$(MONGODB_IMAGE))

test-faults: environment ## run random operations under faults, kills and shortages (as root); OPTIONS="--help" lists more
	@$(BIN)/python -W ignore -m tests.faults.run $(OPTIONS)

buildbot: ## set up and start the Buildbot that certifies the driver, and say where to look
	@$(PYTHON) buildbot/run.py start

buildbot-stop: ## stop it
	@$(PYTHON) buildbot/run.py stop

test-buildbot: ## test the documentation's pages and a Buildbot of its own, in a browser (as root)
	@$(PYTHON) -m tests.buildbot.run

lint: ## check style, types, documentation, imports, news fragments and the distribution's manifest
	@$(PYTHON) -m tests.lint

packages: ## make the distributions, a .deb and an .rpm, in dist
	@$(PYTHON) packaging/build.py

release-check: environment ## check that a release can be made, and make its files in dist/release, without publishing
	@$(BIN)/python -W ignore packaging/release_check.py

docker-plugin: ## make a managed Docker plugin, in dist/docker-plugin (as root, on Debian)
	@$(PYTHON) packaging/docker_plugin.py

test-packages: ## make the packages, and test them in a clean root (as root, on Debian)
	@$(PYTHON) -m tests.packages.run

test-docker: ## run the tests on machines with a Docker Engine each, made for it (as root, on Debian)
	@$(PYTHON) -m tests.nodes.run $(if $(RELEASE),--release $(RELEASE))

test-docker-all: ## run these tests, and those of the managed plugin and of Podman
	@$(PYTHON) -m tests.nodes.run --all $(if $(RELEASE),--release $(RELEASE))

test-guests: ## run the search for devices in virtual machines with hot-plugged volumes (on Debian)
	@$(PYTHON) -m tests.guests.run

test-fresh: ## run make demo and make test on fresh machines of Debian 12 and 13 (as root, on Debian)
	@$(PYTHON) -m tests.fresh.run

test-aws: ## run the aws command and boto3 against the embedded service (with loop devices as root), and the driver on moto
	@$(PYTHON) -m tests.aws.run

test-clients: environment ## run the suites of OpenStack's clients against the embedded service; CI=true for a part
	@$(BIN)/python -W ignore -m tests.clients.run $(SUITES)

docs: environment ## make the documentation, in docs/_build/html
	@$(PYTHON) -m tests.debian dot graphviz
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --editable '.[docs]'
	@$(BIN)/sphinx-build -E -a -W --keep-going -q -b html docs docs/_build/html

picture-docker: environment ## make the picture of the Docker plugin, docs/docker.svg, of a demonstration (as root, on Debian)
	@$(BIN)/python docs/demonstration_picture.py demo-docker

picture-flocker: environment ## make the picture of Flocker's Docker plugin, docs/flocker.svg, of a demonstration (as root, on Debian)
	@$(BIN)/python docs/demonstration_picture.py demo-flocker

picture-page: environment ## make the picture of the embedded service's page, docs/live-page.png (as root, on Debian)
	@$(PYTHON) -m tests.debian chromium chromium
	@$(PYTHON) -m tests.debian chromedriver chromium-driver
	@$(BIN)/python -m pip --disable-pip-version-check --quiet install --editable '.[browser]'
	@$(BIN)/python -W ignore -m docs.page_picture

picture: environment ## make the README's picture, docs/demo.svg, of a demo (as root)
	@$(BIN)/python docs/demo_picture.py

bench: environment ## measure the driver and the service beside other clients; OPTIONS="--help" lists more
	@$(BIN)/python -W ignore -m benchmarks $(OPTIONS)

clean: ## remove all that these made
	$(STEP) "taking OpenStack down" $(PYTHON) -m tests.openstack.rig down
	$(STEP) "stopping Buildbot" $(PYTHON) buildbot/run.py stop
	$(STEP) "removing environments, packages and reports" rm -rf .openstack .packages .nodes .guests .fresh .aws .clients .buildbot .bench .venv .venv-* .tox _trial_temp* .coverage .coverage.* .hypothesis .pytest_cache .ruff_cache .mypy_cache docs/_build build dist *.egg-info
	$(STEP) "removing compiled Python files" find . '(' -name __pycache__ -o -name '*.pyc' ')' -prune -exec rm -rf '{}' +
