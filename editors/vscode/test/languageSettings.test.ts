import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingNames, withLanguages } from '../src/languageSettings';

test('what was set for a language goes into its table', () => {
  assert.deepEqual(withLanguages({ topK: 5 }, { python: { temperature: 0.2 } }), {
    topK: 5,
    languages: { python: { temperature: 0.2 } },
  });
});

test('tables that the user wrote are kept, and what was set for the language overrides them', () => {
  const section = { languages: { python: { temperature: 0.9, topK: 3 }, go: { topP: 0.5 } } };
  assert.deepEqual(withLanguages(section, { python: { temperature: 0.2 } }), {
    languages: { python: { temperature: 0.2, topK: 3 }, go: { topP: 0.5 } },
  });
});

test('without any the section is as it was', () => {
  const section = { languages: null };
  assert.equal(withLanguages(section, {}), section);
});

test('what costs time or stores text cannot be made for a language, where a workspace could bring it in', () => {
  const property = (scope: string) => ({ scope });
  const properties = { 'aide.topK': property('language-overridable'), 'aide.ledger': property('machine') };
  assert.deepEqual(settingNames({ contributes: { configuration: { properties } } }), ['topK']);
});
