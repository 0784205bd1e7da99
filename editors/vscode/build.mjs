// Bundles the extension into dist/, or the unit tests into build/test/ with --tests.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/** Files of this repository joined to one text, for the page of a view. */
const joined = (...files) => JSON.stringify(files.map((file) => readFileSync(file, 'utf8')).join('\n'));

const tests = process.argv.includes('--tests');
const { metafile } = await build({
  entryPoints: tests
    ? readdirSync('test').filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`)
    : ['src/extension.ts'],
  outdir: tests ? 'build/test' : 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  minify: !tests,
  logLevel: 'warning',
  metafile: true,
  define: {
    COMPARE_STYLE: joined('../../aide_lsp/pages/base.css', 'views/compare.css'),
    COMPARE_SCRIPT: joined('../../aide_lsp/pages/elements.js', 'views/differences.js', 'views/compare.js'),
  },
});
if (!tests) {
  writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licenses(Object.keys(metafile.inputs)));
}

/** The license of each package in the bundle: their terms ask that a copy is included. */
function licenses(files) {
  const packages = new Set(files.flatMap((file) => /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []));
  return [...packages].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) {
      throw new Error(`${name} is in the bundle and has no license file.`);
    }
    return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
  }).join(`\n${'-'.repeat(79)}\n\n`);
}
