/** A map that paints fewer pixels while it moves, where no graphics chip paints them. */

import { Map as MapLibre, type MapOptions } from "maplibre-gl";

/** Of the pixels along each side: a quarter of the work, and in motion hardly seen. */
const SHARE = 0.5;
/** One drag often follows another. */
const SETTLED_MS = 200;
/** How browsers name a processor that stands in for a graphics chip. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

export class CoarseMap extends MapLibre {
  private isCoarse = false;
  private isResizing = false;
  private settling: ReturnType<typeof setTimeout> | undefined;

  constructor(options: MapOptions) {
    super(options);
    if (!isSoftware(this.getCanvas())) return;
    this.on("movestart", () => {
      if (this.isResizing) return;
      clearTimeout(this.settling);
      if (this.isCoarse) return;
      this.isCoarse = true;
      this.paintShare(SHARE);
    });
    this.on("idle", () => {
      clearTimeout(this.settling);
      if (this.isCoarse) this.settling = setTimeout(() => this.sharpen(), SETTLED_MS);
    });
  }

  private sharpen(): void {
    if (this.isMoving() || this._removed) return;
    this.isCoarse = false;
    this.paintShare(1);
    this.redraw(); // a resized canvas is empty until then
  }

  private paintShare(share: number): void {
    this.isResizing = true;
    this.setPixelRatio(share * devicePixelRatio);
    this.isResizing = false;
  }

  /** A new size would end a drag that has just begun. */
  override stop(): this {
    return this.isResizing ? this : super.stop();
  }
}

function isSoftware(canvas: HTMLCanvasElement): boolean {
  const gl = canvas.getContext("webgl2") ?? canvas.getContext("webgl");
  const known = gl?.getExtension("WEBGL_debug_renderer_info");
  return SOFTWARE.test(String(gl?.getParameter(known ? known.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
}
