"""Imports of JavaScript and TypeScript, in projects laid out as people lay them out."""

import pytest

from tests.context.imports.written import found, in_turn, project

APP = project("""
== package.json
{
  "name": "app", "main": "./dist/main.js",
  "imports": {"#db/*": "./src/db/*.js", "#env": {"default": "./src/env.ts"}}
}
== tsconfig.json
{
  // aliases
  "extends": "./tsconfig.base",
  "references": [{ "path": "./tsconfig.node.json" }],
  "compilerOptions": { "paths": { "@ui/*": ["./src/ui/*"], "config": ["./src/config.ts"], } },
}
== tsconfig.base.json
{"compilerOptions": {"baseUrl": "./src"}}
== tsconfig.node.json
{"compilerOptions": {"paths": {"$tools/*": ["tools/*"]}}}
== src/main.ts
== src/config.ts
== src/env.ts
== src/shapes.d.ts
== src/legacy.js
== src/worker.ts
== src/db/pool.ts
== src/ui/index.ts
export { Button, type ButtonProps } from "./Button";
export * from './dialog';
export * from "./Text_Field";
== src/ui/Button.tsx
== src/ui/Button.css
== src/ui/dialog/index.tsx
== src/ui/Text_Field.vue
== src/ui/Icon.svelte
== src/utils/format.ts
== tools/gen.mts
== test/main.test.ts
== node_modules/react/index.js
""")
UI = "src/ui/index.ts"
BUTTON = "src/ui/Button.tsx"
CONFIG = "src/config.ts"


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("src/main.ts", "import { config } from './config'", [CONFIG]),
        ("src/main.ts", 'import config from "./config.js";', [CONFIG]),
        ("src/main.ts", "import {\n  // it's (odd)\n  config,\n} from './config'", [CONFIG]),
        ("src/main.ts", "import type { Shape } from './shapes'", ["src/shapes.d.ts"]),
        ("src/main.ts", "import './ui/Button.css'", ["src/ui/Button.css"]),
        ("src/main.ts", "const x = require('./legacy')", ["src/legacy.js"]),
        ("src/main.ts", "import old = require('./legacy')", ["src/legacy.js"]),
        ("src/main.ts", "const page = await import(/* webpackChunkName: 'x' */ './config')", [CONFIG]),
        ("src/main.ts", "new Worker(new URL('./worker.ts', import.meta.url))", ["src/worker.ts"]),
        ("src/main.ts", "vi.mock('./config')", [CONFIG]),
        ("src/main.ts", "export { a } from './config'\nexport * from './env'", [CONFIG, "src/env.ts"]),
        ("src/main.ts", "import raw from './config.ts?raw'", [CONFIG]),
        ("src/main.ts", '/// <reference path="./shapes.d.ts" />', ["src/shapes.d.ts"]),
        ("src/ui/Button.tsx", "import { x } from '..'", []),
        ("src/ui/Button.tsx", "import { Dialog } from '.'", [UI, "src/ui/dialog/index.tsx"]),
        ("test/main.test.ts", "import app from '..'", ["src/main.ts"]),
        ("src/main.ts", "import { x } from 'utils/format'", ["src/utils/format.ts"]),
        ("src/main.ts", "import { x } from '@ui/Icon.svelte'", ["src/ui/Icon.svelte"]),
        ("src/main.ts", "import { x } from '$tools/gen'", ["tools/gen.mts"]),
        ("test/main.test.ts", "import config from 'config'", [CONFIG]),
        ("test/main.test.ts", "import { x } from '@/utils/format'", ["src/utils/format.ts"]),
        ("test/main.test.ts", "import pool from '#db/pool'", ["src/db/pool.ts"]),
        ("test/main.test.ts", "import env from '#env'", ["src/env.ts"]),
        ("src/main.ts", "import React from 'react'\nimport fs from 'node:fs'", []),
        ("src/main.ts", "import x from '../../outside'\nimport y from '/etc/passwd'", []),
        ("test/main.test.ts", "import x from '$utils/format'", ["src/utils/format.ts"]),
        ("test/main.test.ts", "import y from 'src/config'", [CONFIG]),
        ("test/main.test.ts", "import x from '/src/env.ts'", ["src/env.ts"]),
        ("src/App.vue", "<script setup>\nimport B from './ui/Button'\n</script>", [BUTTON]),
        ("src/App.vue", "<script lang='ts' src='./config.ts'></script>", [CONFIG]),
        ("src/App.svelte", "<script>\n  import c from './config';\n</script>", [CONFIG]),
    ],
)  # fmt: skip
def test_finds_what_an_import_names(document, text, expected):
    assert found(APP, document, text=text) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import { Button } from './ui'", [UI, BUTTON]),
        ("import { dialog } from './ui'", [UI, "src/ui/dialog/index.tsx"]),
        ("import { TextField } from './ui'", [UI, "src/ui/Text_Field.vue"]),
        ("import { openDialog } from './ui'", [UI, "src/ui/dialog/index.tsx", "src/ui/Text_Field.vue"]),
    ],
)
def test_finds_where_an_index_has_a_name_from(text, expected):
    assert found(APP, "src/main.ts", text=text) == sorted(expected)


@pytest.mark.parametrize(
    "broken",
    [
        "import { a, b\n",
        "import x fro\n",
        "const x = 'never closed\n",
        "`never closed ${\n",
        "import('./\n",
        "export const\n",
    ],
)
def test_an_unfinished_line_hides_no_other_import(broken):
    assert CONFIG in found(APP, "src/main.ts", text=f"{broken}import {{ config }} from './config'\n")


WORKSPACE = {
    "packages/core/package.json": (
        '{"name": "@acme/core", "exports": {".": {"import": "./dist/index.mjs"}, "./*": "./dist/*.js"}}'
    ),
    "packages/core/src/index.ts": "export { run } from './run'",
    "packages/core/src/run.ts": "",
    "packages/core/dist/index.mjs": "",
    "packages/odd-folder/package.json": '{"name": "@acme/odd", "main": "lib/odd.js"}',
    "packages/odd-folder/src/odd.ts": "",
    "packages/cli/package.json": '{"name": "@acme/cli", "dependencies": {"@acme/core": "*"}}',
    "packages/cli/src/cli.ts": "",
    "packages/cli/src/main.ts": "",
    "tools/other/package.json": '{"name": "other", "main": "index.js"}',
    "tools/other/index.js": "",
}
YAML = "# packages\npackages:\n  # all\n  - 'packages/*'\n  - tools/** # too\n\ncatalog:\n  react: 1\n"


@pytest.mark.parametrize(
    "manifest",
    [
        {"package.json": '{"workspaces": ["packages/*", "./tools/**/"]}'},
        {"package.json": '{"workspaces": {"packages": ["packages/*", "tools/*", "!packages/x"]}}'},
        {"package.json": "{}", "pnpm-workspace.yaml": YAML},
        {"lerna.json": '{"packages": ["packages/*", "tools/*"]}'},
    ],
)
def test_finds_the_packages_of_a_workspace(manifest):
    text = """
        import { run } from '@acme/core'
        import deep from "@acme/core/run"
        import odd from '@acme/odd'
        import other from 'other'
        import self from '@acme/cli/src/main'
        import none from '@acme/none'
    """
    core = "packages/core/src/"
    assert in_turn(WORKSPACE | manifest, "packages/cli/src/cli.ts", text=text) == [
        core + "index.ts",
        core + "run.ts",
        "packages/odd-folder/src/odd.ts",
        "tools/other/index.js",
        "packages/cli/src/main.ts",
    ]


@pytest.mark.parametrize(
    "manifest",
    [
        '{"name": 3, "workspaces": 3, "exports": 3, "imports": 3}',
        '{"workspaces": ["../*", "/", "", "**/**/**"], "name": ["x"]}',
        '{"name": "x", "exports": {".": {"a": {"b": [{"c": "../../x"}, 3, null]}}}, "main": "/etc/passwd"}',
        "[" * 100_000,
        '"' + '\\"' * 100_000,
        "/*" * 100_000,
        "packages:\n -" + " " * 200_000 + "'x",
        "not JSON",
    ],
)
def test_a_manifest_of_any_form_is_harmless(manifest):
    texts = {"package.json": manifest, "tsconfig.json": manifest, "pnpm-workspace.yaml": manifest, "a.ts": ""}
    assert found(texts, "a.ts", text="import x from 'x'\nimport y from '#y'\n") == []


def test_settings_that_extend_each_other_end():
    texts = {
        "tsconfig.json": '{"extends": ["./tsconfig.json", "./other"]}',
        "other.json": '{"extends": "./tsconfig"}',
    }
    assert found(texts, "a.ts", text="import x from 'x'") == []
