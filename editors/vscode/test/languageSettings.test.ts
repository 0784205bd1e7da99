import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageValueSet, settingNames, valueSet, withLanguages } from '../src/languageSettings';

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
  assert.deepEqual(settingNames({ contributes: { configuration: [{ properties }, {}] } }), ['topK']);
});

test('of the places that set a value the narrowest is taken, and a default is none of them', () => {
  assert.equal(valueSet({ globalValue: 1, workspaceValue: 2, workspaceFolderValue: 3 }), 3);
  assert.equal(valueSet({ globalValue: 1, workspaceValue: 2 }), 2);
  assert.equal(valueSet({ globalValue: false }), false);
  const untouched = { defaultValue: 50, defaultLanguageValue: 40, globalValue: undefined };
  assert.equal(valueSet(untouched), undefined);
  assert.equal(languageValueSet(untouched), undefined);
  assert.equal(valueSet(undefined), undefined);
});

test('"none", an empty text, or null in a narrower place unsets the value of a wider one', () => {
  assert.equal(valueSet({ globalValue: 'code', workspaceValue: '' }), undefined);
  assert.equal(valueSet({ globalValue: 7, workspaceFolderValue: null }), undefined);
});

test('values for a language are taken from the places for that language only', () => {
  const places = { globalValue: 1, workspaceFolderValue: 2, globalLanguageValue: 3, workspaceLanguageValue: 4 };
  assert.equal(languageValueSet(places), 4);
  assert.equal(languageValueSet({ globalValue: 1 }), undefined);
});
