// Formats Lua files in place with StyLua, by the options of `.stylua.toml`; prints those that were not in order.
//   node stylua.mjs PATH-OF-THE-PACKAGE CONFIG [--check] FILE...

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [packagePath, configPath, ...rest] = process.argv.slice(2);
const stylua = createRequire(import.meta.url)(packagePath);
const check = rest[0] === '--check';

function options() {
  const config = stylua.Config.new();
  const enums = { indent_type: stylua.IndentType, quote_style: stylua.QuoteStyle };
  for (const line of readFileSync(configPath, 'utf8').split('\n').filter(Boolean)) {
    const [name, value] = line.split(' = ');
    config[name] = name in enums ? enums[name][JSON.parse(value)] : JSON.parse(value);
  }
  return config;
}

let wrong = 0;
for (const file of check ? rest.slice(1) : rest) {
  const text = readFileSync(file, 'utf8');
  const formatted = stylua.formatCode(text, options(), undefined, stylua.OutputVerification.Full);
  if (formatted !== text) {
    wrong += 1;
    console.log(file);
    if (!check) writeFileSync(file, formatted);
  }
}
process.exitCode = check && wrong > 0 ? 1 : 0;
