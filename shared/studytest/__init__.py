"""What the tests of all studies share."""

import pytest

# Their assertions say what they compared, as those of test files do.
pytest.register_assert_rewrite(
    "studytest.contract",
    "studytest.clusters",
    "studytest.importing",
    "studytest.leftovers",
    "studytest.running",
)
