"""What imports Ray, imported as where a cluster is joined: Ray reads its token while that happens,
so whichever test of a process comes first decides for all."""

import importlib
import os
from unittest import mock

from studytest import running


def imported(name):
    with mock.patch.dict(os.environ, running.environment()):
        return importlib.import_module(name)
