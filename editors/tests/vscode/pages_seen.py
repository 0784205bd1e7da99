"""What a page in a webview looks like: contrast of its text, font sizes, what sticks out."""

THEMES = {
    "light": ("Light Modern", "vscode-light"),
    "dark": ("Dark Modern", "vscode-dark"),
    "high-contrast": ("Default High Contrast", "vscode-high-contrast"),
    "high-contrast-light": ("Default High Contrast Light", "vscode-high-contrast-light"),
}
"""A name for files: the theme in VS Code's settings, and the class it gives the body of a webview."""

MEASURE = """() => {
  const parse = (text) => {
    const numbers = text.match(/[-\\d.e]+%?/g).map(parseFloat);
    const unit = text.startsWith('color(') ? 1 : 255;
    const [r, g, b, a = 1] = numbers;
    return [r / unit, g / unit, b / unit, a];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const background = (element) => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor);
    return chain.map(parse).reduce((below, top) => over(top, below), [1, 1, 1, 1]);
  };
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    const box = element.getBoundingClientRect();
    if (!text || ['SCRIPT', 'STYLE', 'NOSCRIPT', 'TITLE', 'title'].includes(element.tagName)) continue;
    if (!element.checkVisibility({ opacityProperty: true }) || box.width === 0) continue;
    const style = getComputedStyle(element);
    const color = parse(element instanceof SVGElement ? style.fill : style.color);
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const below = background(element);
    const [a, b] = [luminance(over([...color.slice(0, 3), color[3] * opacity], below)), luminance(below)];
    const scale = element instanceof SVGElement ? element.ownerSVGElement.getScreenCTM().a : 1;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const drawn = range.getBoundingClientRect();
    const disabled = element.closest(':disabled') !== null;
    const kind = element instanceof SVGElement ? 'svg' : element.tagName.toLowerCase();
    seen.push({
      text: text.slice(0, 40), kind, disabled,
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
      size: parseFloat(style.fontSize) * scale,
      right: drawn.right, left: drawn.left, top: drawn.top, bottom: drawn.bottom,
      clipped: style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1,
      scrolls: element.closest('.strip, .prompt, pre') !== null,
    });
  }
  const heads = [...document.querySelectorAll('th[scope=col]')].map((head) => {
    const range = document.createRange();
    range.selectNodeContents(head);
    const { left, right } = range.getBoundingClientRect();
    return [left, right];
  });
  return {
    classes: document.body.className,
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - innerWidth,
    ink: getComputedStyle(document.body).color,
    paper: getComputedStyle(document.body).backgroundColor,
    font: getComputedStyle(document.body).fontFamily,
    theme: Object.fromEntries(['editor-background', 'editor-foreground', 'font-family'].map((name) =>
      [name, getComputedStyle(document.documentElement).getPropertyValue(`--vscode-${name}`)])),
    heads, seen,
  };
}"""


def unreadable(page, least=4.5):
    """The texts whose contrast with their background is too low. Those of what is disabled may be."""
    return [
        (one["text"], round(one["contrast"], 2))
        for one in page["seen"]
        if one["contrast"] < least and not one["disabled"]
    ]
