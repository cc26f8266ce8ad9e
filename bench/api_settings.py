"""The production settings with three further paths: `/hello`, `/stock/...` and a slow one."""

from sightsync.settings import *  # noqa: F403
from sightsync.settings import INSTALLED_APPS, MIDDLEWARE

ROOT_URLCONF = "bench.api_urls"
MIDDLEWARE = ["bench.api_urls.Bare", *MIDDLEWARE]
INSTALLED_APPS = [*INSTALLED_APPS]
