"""What the tests of all studies share."""

import sys

# A run that a test starts takes only the place of compiled kernels from here, and needs no pytest.
if "pytest" in sys.modules:
    import pytest

    # Their assertions say what they compared, as those of test files do.
    pytest.register_assert_rewrite(
        "studytest.contract",
        "studytest.clusters",
        "studytest.importing",
        "studytest.leftovers",
        "studytest.running",
    )
