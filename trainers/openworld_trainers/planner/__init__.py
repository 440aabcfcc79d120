"""Plans of a run: settings by scaling, and the memory of each device."""
