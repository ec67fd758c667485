// Text of a page whose contrast with what lies behind it is less than WCAG 2.1 AA asks for (1.4.3): 4.5, of large text 3.
// Disabled controls, hidden text and text over pictures, maps or gradients are left out: there is no one colour behind it.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  // Whatever a colour is written as, the browser paints it: so it is read back from a pixel.
  const read = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((one, index) => one * top[3] + below[index] * (1 - top[3]));
  const linear = (one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb) => 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
  const ratio = (one, two) => {
    const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const overlap = (one, two) => {
    const [a, b] = [one.getBoundingClientRect(), two.getBoundingClientRect()];
    return a.left <= b.left && a.right >= b.right && a.top <= b.top + b.height / 2 && a.bottom >= b.top + b.height / 2;
  };
  const PICTURES = "canvas, video, img, .map, .maplibregl-map";
  const layers = (element) => {
    const found = [];
    // Text of a drawing stands on the shape before it, such as the digit of an alarm level.
    const shape = element instanceof SVGElement ? element.previousElementSibling : null;
    if (shape && getComputedStyle(shape).fill !== "none" && overlap(shape, element)) found.push(read(getComputedStyle(shape).fill));
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.backgroundImage !== "none") return null;
      const colour = read(style.backgroundColor);
      if (colour[3] > 0) found.push(colour);
      if (colour[3] === 1) return found;
      if (one.matches(PICTURES) || one.parentElement?.querySelector(":scope > canvas, :scope > video, :scope > img")) return null;
    }
    return [...found, [255, 255, 255, 1]];
  };
  const shown = (element, range) => {
    const box = range.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return false;
    if (element.closest(":disabled, [aria-disabled=true], .sr-only, [aria-busy=true]")) return false;
    return element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const opacity = (element) => {
    let found = 1;
    for (let one = element; one; one = one.parentElement) found *= Number(getComputedStyle(one).opacity);
    return found;
  };
  const wrong = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element || element.closest("script, style, option, svg title")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    if (!shown(element, range)) continue;
    const behind = layers(element);
    if (behind === null) continue;
    const ground = behind.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    const style = getComputedStyle(element);
    const ink = read(element instanceof SVGElement ? style.fill : style.color);
    ink[3] *= opacity(element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const found = ratio(over(ink, ground), ground);
    if (found < (isLarge ? 3 : 4.5)) {
      const path = `${element.tagName.toLowerCase()}.${[...element.classList].join(".")} in .${element.parentElement?.className}`;
      wrong.set(path, `${path}: ${found.toFixed(2)} “${node.data.trim().slice(0, 30)}”`);
    }
  }
  return [...wrong.values()];
};
