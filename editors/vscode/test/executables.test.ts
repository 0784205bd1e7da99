import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findOnPath } from '../src/executables';

function program(name: string, mode: number): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aide-'));
  after(() => { rmSync(folder, { recursive: true }); });
  writeFileSync(path.join(folder, name), '');
  chmodSync(path.join(folder, name), mode);
  return folder;
}

test('the first program that can be run is found', () => {
  const [data, code] = [program('tool', 0o644), program('tool', 0o755)];
  assert.equal(findOnPath('tool', [data, code].join(path.delimiter)), path.join(code, 'tool'));
});

test('folders that are not absolute are passed over', () => {
  const folder = path.relative(process.cwd(), program('tool', 0o755));
  assert.equal(findOnPath('tool', ['.', folder, ''].join(path.delimiter)), undefined);
});
