/** The page of a comparison: a strict policy with a nonce, the shared style and functions of Aide's pages. */

import { randomBytes } from 'node:crypto';

/** Filled in by build.mjs, from views/ and aide_lsp/pages/. */
declare const COMPARE_STYLE: string;
declare const COMPARE_SCRIPT: string;

export function comparePage(): string {
  const nonce = randomBytes(16).toString('base64url');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'">
<title>Compare completions</title>
<style nonce="${nonce}">${COMPARE_STYLE}</style>
</head>
<body>
<main id="page"></main>
<script nonce="${nonce}">"use strict";
const vscode = acquireVsCodeApi();
const page = document.getElementById("page");
${COMPARE_SCRIPT}
vscode.postMessage({ ready: true });
</script>
</body>
</html>`;
}
