"""One module per publisher's dataset, each with SOURCE_ID, RAW_FILES, LAG_DAYS, fetch and parse."""
