/** Pictures that the page has already: what the overview draws of a camera is its still until a better one comes. */

const canvases = new Map<string, { canvas: HTMLCanvasElement; taken: () => number | undefined }>();

/** The canvas on which the newest picture of a camera is drawn, taken `taken` by `performance.now()`; null when it goes. */
export function offerPoster(camera: string, canvas: HTMLCanvasElement | null, taken: () => number | undefined): void {
  if (canvas) canvases.set(camera, { canvas, taken });
  else canvases.delete(camera);
}

/** The newest picture that was drawn as an address for an image, and its age; null if there is none. */
export function posterOf(camera: string): { address: string; age_ms: number } | null {
  const offered = canvases.get(camera);
  const taken_ms = offered?.taken();
  if (!offered || taken_ms === undefined) return null;
  return { address: offered.canvas.toDataURL("image/jpeg", 0.8), age_ms: performance.now() - taken_ms };
}
