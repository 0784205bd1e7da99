"""Types of TypeScript and JavaScript: what a module declares, and what code of JavaScript assigns."""
