"""
The package's metadata, limited to the features that the setuptools of both Pythons have.
"""

import io
import os
import re
import shutil
import sys

from setuptools import find_packages, setup

PYTHON_2 = sys.version_info[0] == 2
# Not marked with a Python version: pip 8, which Flocker pins, ignores the marks.
PYTHON_3_REQUIRES = [
    "click>=8.0",
    "cryptography",
    "jsonschema>=4.18",
    "klein>=21.8",
    "prometheus-client>=0.20",
    "rich>=13",
    # Klein's, too; the embedded service uses its routing alone, which starts faster.
    "werkzeug>=2.0",
]
# The reader of clouds.yaml, which the key `cloud` needs.
CLOUDS = ["openstacksdk; python_version >= '3.9'"]


# The codec of Amazon EC2.  Flocker pins botocore.
EC2 = ["botocore>=1.4.87" if PYTHON_2 else "botocore>=1.29"]

ENTRY_POINTS = {
    "console_scripts": ["txstorage = txstorage.cli.main:main"],
    # Without pytest, nothing looks for it.
    "pytest11": ["txstorage = txstorage.embedded.testing.pytest_plugin"],
}

# A directory beside the environment's programs, where the agent has the name of Flocker's.
AGENTS = "with-txstorage"


def commands():
    """
    The build of Python 2's dataset agent under two names: its own, and Flocker's in a directory.

    Flocker's log filter, ``pidof -x`` and its accounting know a process by the name of Flocker's
    agent, and a file of that name beside Flocker's own would replace it.
    """
    if not PYTHON_2:
        return {}
    from distutils.command.build_scripts import build_scripts

    class BuildScripts(build_scripts):
        def run(self):
            build_scripts.run(self)
            named = os.path.join(self.build_dir, AGENTS, "flocker-dataset-agent")
            self.mkpath(os.path.dirname(named))
            shutil.copy(os.path.join(self.build_dir, "txstorage-dataset-agent"), named)

    return {"build_scripts": BuildScripts}


def read(*parts):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), *parts)
    with io.open(path, encoding="utf-8") as source:
        return source.read()


def packages():
    """The packages that the building Python can compile; see tests/helpers/imports.py."""
    found = find_packages(include=["txstorage", "txstorage.*"])
    if not PYTHON_2:
        return found
    python_3_only = tuple(
        package + "."
        for package in found
        if "from __future__ import annotations" in read(*package.split(".") + ["__init__.py"])
    )
    return [package for package in found if not (package + ".").startswith(python_3_only)]


def description():
    """The README without its pictures, which a package index does not have."""
    return re.sub(r"(?m)^\.\. image::.*\n(?: .*\n)*\n", "", read("README.rst"))


def version():
    namespace = {}
    exec(compile(read("txstorage", "_version.py"), "_version.py", "exec"), namespace)
    return str(namespace["VERSION"])


setup(
    name="txstorage",
    version=version(),
    description="Asynchronous block storage for Twisted and Flocker",
    long_description=description(),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    # Also the maintainer of the .deb and the .rpm.  There is no address to give.
    author="The txstorage developers",
    keywords=["block storage", "Cinder", "Flocker", "OpenStack", "Twisted", "volumes"],
    # The project itself has no public address; these are the APIs that it speaks.
    project_urls={
        "OpenStack Identity API": "https://docs.openstack.org/api-ref/identity/v3/",
        "OpenStack Block Storage API": "https://docs.openstack.org/api-ref/block-storage/v3/",
        "OpenStack Compute API": "https://docs.openstack.org/api-ref/compute/",
    },
    python_requires=">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,!=3.4.*,!=3.5.*,!=3.6.*,!=3.7.*,!=3.8.*",
    packages=packages(),
    package_data={
        "txstorage": ["py.typed"],
        "txstorage.embedded.page": ["static/*"],
    },
    # The lower bounds are Flocker 1.15's pins, so that installing beside it
    # moves none of them.
    install_requires=[
        "attrs>=16.3.0",
        "constantly>=15.1.0",
        # The later one logs a message in one call, without a warning.
        "eliot>=0.11.0" if PYTHON_2 else "eliot>=1.11.0",
        "PyYAML>=3.10",
        # The later one takes hyperlink's URLs, which an IPv6 address needs.
        "treq>=16.12.0" if PYTHON_2 else "treq>=20.9.0",
        "Twisted[tls]>=16.6.0",
        "txaio>=18.8.1",
        "zope.interface>=4.3.3",
    ]
    + ([] if PYTHON_2 else PYTHON_3_REQUIRES),
    extras_require={
        "test": [
            # The judge of the embedded service's EC2 face.
            "botocore>=1.41; python_version >= '3.9'",
            "coverage>=7.10; python_version >= '3.9'",
            "eliot-tree; python_version >= '3.9'",
            "hypothesis>=3.6.0",
            "pytest; python_version >= '3.9'",
            "pytest-xdist; python_version >= '3.9'",
            "setuptools>=71; python_version >= '3.9'",
        ]
        + CLOUDS
        + EC2,
        "clouds": CLOUDS,
        "ec2": EC2,
        # The fixtures for tests of OpenStack's clients.
        "pytest": ["pytest>=7; python_version >= '3.9'"],
        # For hosts that attach volumes over iSCSI and the like.
        "os-brick": ["os-brick>=5; python_version >= '3.9'"],
        "docs": [
            "furo; python_version >= '3.9'",
            "sphinx; python_version >= '3.9'",
            "sphinx-click; python_version >= '3.9'",
        ],
        # Drives the browser that opens the documentation's pages, and draws one of them.
        "browser": ["pillow; python_version >= '3.9'", "selenium>=4; python_version >= '3.9'"],
        "packages": ["build", "twine"],
        # Checks a release; the bill of materials is CycloneDX's.
        "release": ["cyclonedx-bom", "packaging", "towncrier"],
        # Some are pinned, because the findings depend on the version.
        "lint": [
            "bandit",
            "check-manifest",
            "mypy==2.4.1",
            "mypy-zope==1.0.17",
            "pip-audit",
            "pre-commit",
            "ruff==0.17.6",
            "towncrier",
            "types-PyYAML",
            "types-jsonschema",
        ],
    },
    scripts=["packaging/flocker/txstorage-dataset-agent"] if PYTHON_2 else [],
    entry_points={} if PYTHON_2 else ENTRY_POINTS,
    cmdclass=commands(),
    zip_safe=False,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Twisted",
        "License :: OSI Approved :: Apache Software License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 2.7",
    ]
    + ["Programming Language :: Python :: 3.{}".format(minor) for minor in range(9, 14)]
    + ["Topic :: System :: Filesystems", "Typing :: Typed"],
)
