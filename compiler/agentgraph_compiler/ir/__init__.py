"""The intermediate representation: a chart with origins, its builder and its printed form."""
