import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addresses, manifestOf, withPictures } from '../stage.mjs';

const PYPROJECT = '[project]\nname = "x"\n\n[project.urls]\nRepository = "https://example.org/x"\nIssues = "https://example.org/x/issues"\n\n[tool.y]\nHomepage = "https://example.org/no"\n';

test('addresses come from their table of pyproject.toml and from nowhere else', () => {
  const found = { Repository: 'https://example.org/x', Issues: 'https://example.org/x/issues' };
  assert.deepEqual(addresses(PYPROJECT), found);
  assert.deepEqual(addresses(PYPROJECT.replace('[project.urls]', '[project.other]')), {});
});

test('the manifest names the repository only if there is one, and no tools of developers', () => {
  const manifest = { name: 'aide', contributes: { commands: [] }, scripts: {}, devDependencies: {} };
  assert.deepEqual(manifestOf(manifest, {}), { name: 'aide', contributes: { commands: [] } });
  assert.deepEqual(manifestOf(manifest, addresses(PYPROJECT)), {
    name: 'aide',
    repository: { type: 'git', url: 'https://example.org/x', directory: 'editors/vscode' },
    bugs: { url: 'https://example.org/x/issues' },
    contributes: {
      commands: [],
      tomlValidation: [{ fileMatch: '.aide.toml', url: 'https://example.org/x/raw/HEAD/docs/settings.schema.json' }],
    },
  });
});

test('pictures are put into the page', () => {
  const page = withPictures('![A](images/a.png) ![B](https://example.org/b.png) [c](c.png)', () => Buffer.from('x'));
  assert.equal(withPictures('![Film](film.png)', () => Buffer.alloc(1e6)), '');
  assert.equal(page, '![A](data:image/png;base64,eA==) ![B](https://example.org/b.png) [c](c.png)');
});
