"""The pages of project records: the only ones that read them, so that they can live behind another server."""
