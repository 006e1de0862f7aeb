"""What the stored forms load: nothing that a program without stored values does not need."""

from __future__ import annotations

from tests.architecture.test_import_cost import loaded_by


def test_importing_the_stored_forms_loads_neither_pydantic_nor_the_client() -> None:
    loaded = loaded_by(
        "from agentgraph.stored import faults, items, journal_file, values\n"
        "assert values.encode({'a': [1, (2,)]}) == {'a': [1, {'$type': 'tuple', 'items': [2]}]}"
    )
    assert loaded & {"pydantic", "openai", "httpx", "httpx2", "sqlite3"} == set()
