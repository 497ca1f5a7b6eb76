# What a person types here; `make` alone lists it.
#
# Everything is installed in .venv. A stamp there says which requirements are in, and is touched only when pip has
# succeeded: an installation that was interrupted is taken up again, one that is complete costs nothing.

VENV := .venv
PYTHON_IN_VENV := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test drills bench check format screenshots serve clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 18

run: $(VENV)/embedded.stamp ## Start Autoful on this machine, with a demo shop on the first start
	@exec $(PYTHON_IN_VENV) manage.py run

test: $(VENV)/dev.stamp ## Run all tests, on both set-ups; ARGS="-k stock" goes to pytest
	@exec $(PYTHON_IN_VENV) -m autoful.testing.suite $(ARGS)

drills: $(VENV)/dev.stamp ## Load, kill and starve running shops, on both set-ups: minutes; SIZE=small as in CI, ARGS as above
	@AUTOFUL_DRILL_SIZE=$(SIZE) exec $(PYTHON_IN_VENV) -m autoful.testing.suite drills $(ARGS)

bench: $(VENV)/dev.stamp ## Measure each endpoint beside hand-written SQL: an hour; BENCH_SIZES=10000 narrows it, see CONTRIBUTING.md
	@exec $(PYTHON_IN_VENV) -m bench

check: $(VENV)/dev.stamp ## Lint, types, imports, migrations, schema, known vulnerabilities
	@echo "ruff: lint …"
	@$(PYTHON_IN_VENV) -m ruff check --quiet .
	@echo "ruff: format …"
	@$(PYTHON_IN_VENV) -m ruff format --check --quiet . || { echo "Not formatted; make format does it." >&2; exit 1; }
	@echo "mypy: types …"
	@$(NEUTRAL) -m mypy --no-error-summary .
	@echo "import-linter: which app may import which …"
	@$(NEUTRAL) -c "from importlinter.cli import lint_imports_command as run; run()"
	@echo "Django: every change of a model has its migration …"
	@$(NEUTRAL) manage.py makemigrations --check --dry-run
	@echo "Migrations: each can be applied while the shop is open …"
	@$(NEUTRAL) manage.py check_migrations
	@echo "Django: system checks …"
	@$(NEUTRAL) manage.py check
	@echo "Django: system checks, warnings as errors …"
	@$(NEUTRAL) -W error manage.py check
	@echo "drf-spectacular: the API's schema is valid …"
	@$(NEUTRAL) manage.py spectacular --validate --fail-on-warn --file /dev/null
	@echo "pip-audit: known vulnerabilities in what we install …"
	@$(audit)

format: $(VENV)/dev.stamp ## Format the code and put right what ruff can
	@$(PYTHON_IN_VENV) -m ruff check --fix --quiet . ; $(PYTHON_IN_VENV) -m ruff format .

screenshots: $(VENV)/dev.stamp ## Make the README's pictures anew, with Debian's chromium
	@exec $(NEUTRAL) -m tests.browser.screenshots

serve: $(VENV)/production.stamp ## Start Autoful in production; see the README for its environment
	@exec $(PYTHON_IN_VENV) manage.py serve

clean: ## Forget caches and what is installed; the shop's data in var/ stays
	@rm -rf $(VENV)/*.stamp $(VENV)/check .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . \( -path ./$(VENV) -o -path ./var -o -path ./.git \) -prune -o -name __pycache__ -exec rm -rf {} +

# The checks judge the code, so this machine's set-up (the environment, .env, var/) must not decide them.
NEUTRAL = env -u DATABASE_URL -u REDIS_URL -u DEBUG -u ALLOWED_HOSTS AUTOFUL_ENV_FILE= \
	AUTOFUL_DATA="$(CURDIR)/$(VENV)/check" SECRET_KEY=only-for-make-check-and-never-for-a-shop-0123456789abcdefghijklmn \
	$(PYTHON_IN_VENV)

REQUIREMENTS = requirements-embedded.txt requirements.txt requirements-dev.txt constraints.txt

# pip-audit exits with 1 for a vulnerability and for no network alike, and with 0 if the index answers that it knows
# none of the libraries, as a mirror without advisories does: its words must tell.
define audit
log=$(VENV)/audit.log; \
$(PYTHON_IN_VENV) -m pip_audit $(REQUIREMENTS:%=-r %) --no-deps --disable-pip --progress-spinner off >$$log 2>&1; \
status=$$?; \
pins=$$(cat $(REQUIREMENTS) | grep -c '^[^#]*=='); skipped=$$(grep -c 'could not be audited' $$log); \
if grep -q '^Found .* vulnerabilit' $$log; then grep -v '^WARNING' $$log; exit 1; \
elif [ $$status -ne 0 ]; then \
	echo "pip-audit could not reach the package index; nothing was audited. It said:" >&2; tail -n 1 $$log >&2; \
	case "$$CI" in ''|0|false) ;; *) exit 1 ;; esac; \
elif [ $$skipped -eq $$pins ]; then \
	echo "WARNING: the package index used here publishes no advisories; nothing was audited." >&2; \
elif [ $$skipped -ne 0 ]; then grep 'could not be audited' $$log >&2; exit 1; \
fi
endef

$(VENV)/embedded.stamp: requirements-embedded.txt constraints.txt $(PYTHON_IN_VENV)
	@$(make-venv)
	@echo "Installing Autoful's libraries (first time only) …"
	@$(call pip-install,requirements-embedded.txt) || { $(show-log); }
	@touch $@

$(VENV)/production.stamp: requirements.txt $(VENV)/embedded.stamp
	@echo "Installing the MySQL driver (first time only) …"
	@$(call pip-install,requirements.txt) || { \
	if grep -qE 'subprocess-exited-with-error|Failed (to build|building)' $(VENV)/pip.log; then \
		echo "The MySQL driver, mysqlclient, could not be built: it needs a compiler and headers. On Debian or Ubuntu:" \
			"apt-get install gcc pkg-config libmariadb-dev python3-dev (pip's words are in $(VENV)/pip.log)" >&2; \
		exit 1; \
	fi; $(show-log); }
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/embedded.stamp
	@echo "Installing the tools for tests and checks (first time only) …"
	@$(call pip-install,requirements-dev.txt) || { $(show-log); }
	@touch $@

# Missing, or a link to a Python that has gone: then the stamps are out of date too.
$(PYTHON_IN_VENV): ;

pip-install = $(PYTHON_IN_VENV) -m pip install --quiet --disable-pip-version-check --no-input -r $(1) >$(VENV)/pip.log 2>&1
show-log = tail -n 15 $(VENV)/pip.log >&2; exit 1

# Debian's Python comes without ensurepip unless python3.N-venv is installed; an older Python may well have it.
define make-venv
if ! { if [ -d $(VENV) ]; then [ -w $(VENV) ]; else [ -w . ]; fi; }; then \
	echo "Autoful may not write to $(CURDIR): copy it to a folder of your own, or make that folder yours." >&2; exit 1; \
fi; \
$(PYTHON_IN_VENV) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); import pip' 2>/dev/null && exit 0; \
found= old= bare=; \
for python in "$(PYTHON)" python3.14 python3.13 python3.12 python3.11 python3; do \
	version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { old=$${old:-$$version}; continue; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { bare=$${bare:-$$version}; continue; }; \
	found=$$python; break; \
done; \
if [ -z "$$found" ] && [ -n "$$bare" ]; then \
	echo "Python $$bare is here but cannot make virtual environments; on Debian or Ubuntu: apt-get install python$$bare-venv" >&2; \
	exit 1; \
elif [ -z "$$found" ]; then \
	echo "Autoful needs Python 3.11 or newer and found $${old:+only Python }$${old:-none}: install one, or name it: make run PYTHON=/path/to/python3" >&2; \
	exit 1; \
fi; \
echo "Making the virtual environment in $(VENV) …"; \
said=$$("$$found" -m venv --clear $(VENV) 2>&1) || { printf '%s\n' "$$said" | tail -n 5 >&2; exit 1; }
endef
