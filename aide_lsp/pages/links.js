/* In VS Code, a webview cannot follow these links: the extension opens a file, or a setting of the editor
   (`<a data-setting="aide.topK">`, hidden in a browser). */

const vscode = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : null;

if (vscode) {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href^='file:'], a[data-setting]") : null;
    if (link === null) return;
    event.preventDefault();
    const { setting } = link.dataset;
    vscode.postMessage(setting ? { setting } : { file: link.href });
  });
}
