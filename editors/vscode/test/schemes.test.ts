import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonFor } from '../src/schemes';

test('documents that people write are served, whatever their file system says', () => {
  for (const scheme of ['file', 'untitled', 'vscode-notebook-cell', 'vscode-userdata', 'vscode-vfs', 'vscode-remote']) {
    for (const isWritable of [true, false, undefined]) {
      assert.equal(reasonFor(scheme, 'python', isWritable), null);
    }
  }
});

test('file systems of extensions are served if they can be written to', () => {
  assert.equal(reasonFor('memfs', 'python', true), null);
  assert.match(reasonFor('git', 'python', false) ?? '', /read-only/);
});

test('what is no file is not served: output, search results, reports', () => {
  for (const scheme of ['output', 'search-editor', 'aide-report', 'comment', 'vscode-scm', 'debug']) {
    assert.match(reasonFor(scheme, 'plaintext', undefined) ?? '', /not a file/);
  }
});

test('logs are not served, even as files', () => {
  assert.match(reasonFor('file', 'log', true) ?? '', /logs/);
});
