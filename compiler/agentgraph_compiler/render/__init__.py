"""Back ends for people: diagnostics as text, and charts as drawings."""
