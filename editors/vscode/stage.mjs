// Packages the extension from a folder that holds exactly what users get: build/aide.vsix.
//
// With --publish it fails unless pyproject.toml has the address of the repository, the one place for it. The manifest
// then names it, and the pictures of the page are loaded from there. Without an address they are in the page itself.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const FILES = ['CHANGELOG.md', 'LICENSE', 'icon.png', 'dist', 'images', 'media', 'server'];
const MOST_BYTES = 500_000;
const UNSET =
  'There is no address of the repository. Add it to pyproject.toml, as CONTRIBUTING.md (Publish) says: ' +
  '[project.urls] with Repository and Issues.';

/** The addresses in `[project.urls]` of pyproject.toml, by name. */
export function addresses(pyproject) {
  const [, table = ''] = /^\[project\.urls\]\n((?:(?!\[).*\n?)*)/m.exec(pyproject) ?? [];
  return Object.fromEntries([...table.matchAll(/^(\w+)\s*=\s*"(https:\/\/[^"]+)"/gm)].map(([, name, url]) => [name, url]));
}

/** The manifest as users get it. */
export function manifestOf(manifest, { Repository: repository, Issues: issues, Homepage: homepage }) {
  const { scripts: _scripts, devDependencies: _tools, ...rest } = manifest;
  return {
    ...rest,
    ...(repository ? { repository: { type: 'git', url: repository, directory: 'editors/vscode' } } : {}),
    ...(issues ? { bugs: { url: issues } } : {}),
    ...(homepage ? { homepage } : {}),
    ...(repository ? { contributes: { ...rest.contributes, tomlValidation: [schemaAt(repository)] } } : {}),
  };
}

/** Where other extensions that know TOML find what a project file may hold. They take a complete address only. */
function schemaAt(repository) {
  return { fileMatch: '.aide.toml', url: `${repository}/raw/HEAD/docs/settings.schema.json` };
}

/** The page with its PNG pictures in it, as data; without the film, which is too large for that. */
export function withPictures(page, read) {
  return page.replace(/!\[([^\]]*)\]\(([\w./-]+\.png)\)/g, (_, text, file) => {
    const picture = read(file);
    return picture.length > MOST_BYTES ? '' : `![${text}](data:image/png;base64,${picture.toString('base64')})`;
  });
}

function main() {
  const urls = addresses(readFileSync(path.join(HERE, '../../pyproject.toml'), 'utf8'));
  if (process.argv.includes('--publish') && !(urls.Repository && urls.Issues)) {
    console.error(UNSET);
    process.exit(1);
  }
  const build = path.join(HERE, '../../build');
  const stage = path.join(build, 'extension');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const name of FILES.filter((file) => existsSync(path.join(HERE, file)))) {
    cpSync(path.join(HERE, name), path.join(stage, name), { recursive: true });
  }
  const manifest = JSON.parse(readFileSync(path.join(HERE, 'package.json'), 'utf8'));
  writeFileSync(path.join(stage, 'package.json'), JSON.stringify(manifestOf(manifest, urls), null, 2));
  const page = readFileSync(path.join(HERE, 'README.md'), 'utf8');
  writeFileSync(
    path.join(stage, 'README.md'),
    urls.Repository ? page : withPictures(page, (file) => readFileSync(path.join(HERE, file))),
  );
  const links = urls.Repository
    ? ['--baseContentUrl', `${urls.Repository}/blob/HEAD/editors/vscode`, '--baseImagesUrl', `${urls.Repository}/raw/HEAD/editors/vscode`]
    : ['--allow-missing-repository', '--no-rewrite-relative-links'];
  const vsce = path.join(HERE, 'node_modules/@vscode/vsce/vsce');
  const out = path.join(build, 'aide.vsix');
  execFileSync(process.execPath, [vsce, 'package', '--no-dependencies', ...links, '--out', out], { cwd: stage, stdio: 'inherit' });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main();
}
