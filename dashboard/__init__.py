"""What people see: pages, charts, maps, tables, downloads, translations. Reads releases only."""
