"""HTML pages for a browser and for VS Code's webviews: base style, security policy, escaping."""
