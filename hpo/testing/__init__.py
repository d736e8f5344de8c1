"""For tests of one's own: services that hpo talks to, on this machine; nothing of hpo imports it."""
