"""Pages and endpoints: parse, call one service, render one template."""
