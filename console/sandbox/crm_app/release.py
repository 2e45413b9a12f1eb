"""The modules of the checked-out release that the API needs, read once when it starts."""

from dataclasses import dataclass
from pathlib import Path

from console.sandbox.crm_app.queries import Module, load_module


@dataclass(frozen=True, slots=True)
class Release:
    """The release's services and controllers. A release that lacks one of them does not start."""

    query_builder: Module
    reporting: Module
    conversion: Module
    field_mapping: Module
    accounts: Module
    leads: Module

    @classmethod
    def load(cls, root: Path) -> "Release":
        """Read the checkout `root`. Raises `BrokenRelease`."""
        return cls(
            query_builder=load_module(root, "services/queryBuilderService.js"),
            reporting=load_module(root, "services/reportingService.js"),
            conversion=load_module(root, "services/leadConversionService.js"),
            field_mapping=load_module(root, "controllers/fieldMappingController.js"),
            accounts=load_module(root, "services/accountService.js"),
            leads=load_module(root, "services/leadService.js"),
        )
