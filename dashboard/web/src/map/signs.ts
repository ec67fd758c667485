/** The map's symbols, drawn on a canvas when the map asks for one by name. */

import { DIGIT_Y, LEVEL_OUTLINE } from "../controls/shapes";
import type { Theme } from "../prefs";
import type { Level } from "../records";
import { PALETTES, type Palette } from "./palette";

export const PIXEL_RATIO = 2;
const TEAM_PATH =
  "M12 11.6a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2zM5.6 19.4c0-3.5 2.6-5.8 6.4-5.8s6.4 2.3 6.4 5.8z";

/**
 * Names: `incident/<level>/<full|hollow>/<theme>`, `team/<free|busy|stale>/<theme>`, `camera/<health>/<theme>`, `check/<theme>`;
 * patterns: `hatch/<lost|doubt>/<theme>`, `dots/<theme>`.
 */
export function drawSign(name: string): ImageData | null {
  const parts = name.split("/");
  const palette = PALETTES[parts.at(-1) as Theme];
  if (!palette) return null;
  if (parts[0] === "incident") return incident(Number(parts[1]) as Level, parts[2] === "hollow", palette);
  if (parts[0] === "team") return team(parts[1] ?? "free", palette);
  if (parts[0] === "camera") return fault(parts[1] ?? "offline", palette);
  if (parts[0] === "check") return checkpoint(palette);
  if (parts[0] === "hatch") return hatch(parts[1] === "doubt", palette);
  if (parts[0] === "dots") return dots(palette);
  return null;
}

/** Draws in a box of 24 units shown `size_px` large, with a margin for strokes. */
function canvas(size_px: number, draw: (pen: CanvasRenderingContext2D) => void): ImageData | null {
  const side = Math.round(size_px * PIXEL_RATIO);
  const element = document.createElement("canvas");
  element.width = side;
  element.height = side;
  const pen = element.getContext("2d", { willReadFrequently: true });
  if (!pen) return null;
  const margin = 2.5;
  pen.scale(side / (24 + 2 * margin), side / (24 + 2 * margin));
  pen.translate(margin, margin);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  draw(pen);
  return pen.getImageData(0, 0, side, side);
}

function incident(level: Level, hollow: boolean, palette: Palette): ImageData | null {
  return canvas(34, (pen) => {
    const outline = new Path2D(LEVEL_OUTLINE[level]);
    pen.strokeStyle = palette.halo;
    pen.lineWidth = 5;
    pen.stroke(outline);
    pen.fillStyle = hollow ? palette.halo : palette.level[level];
    pen.fill(outline);
    pen.strokeStyle = palette.levelLine[level];
    pen.lineWidth = hollow ? 2.2 : 1.2;
    pen.stroke(outline);
    pen.fillStyle = hollow ? palette.levelText[level] : palette.onLevel[level];
    pen.font = `700 13px sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(String(level), 12, DIGIT_Y[level] + 0.6);
  });
}

/** Free: filled disc; busy: ring; stale position: dashed ring. */
function team(state: string, palette: Palette): ImageData | null {
  return canvas(28, (pen) => {
    const disc = new Path2D();
    disc.arc(12, 12, 11, 0, 2 * Math.PI);
    pen.strokeStyle = palette.halo;
    pen.lineWidth = 4.5;
    pen.stroke(disc);
    const free = state === "free";
    pen.fillStyle = free ? palette.team : palette.halo;
    pen.fill(disc);
    pen.strokeStyle = palette.team;
    pen.lineWidth = 2.2;
    if (state === "stale") pen.setLineDash([3, 4]);
    pen.stroke(disc);
    pen.fillStyle = free ? palette.onTeam : palette.team;
    pen.fill(new Path2D(TEAM_PATH));
  });
}

function fault(health: string, palette: Palette): ImageData | null {
  return canvas(16, (pen) => {
    const disc = new Path2D();
    disc.arc(12, 12, 10, 0, 2 * Math.PI);
    pen.fillStyle = palette.halo;
    pen.fill(disc);
    pen.strokeStyle = palette.fault;
    pen.lineWidth = 3.2;
    pen.stroke(disc);
    if (health === "offline") {
      pen.stroke(new Path2D("M7.5 7.5l9 9M16.5 7.5l-9 9"));
    } else {
      pen.fillStyle = palette.fault;
      pen.fill(new Path2D("M12 2a10 10 0 0 1 0 20z"));
    }
  });
}

function checkpoint(palette: Palette): ImageData | null {
  return canvas(12, (pen) => {
    const flag = new Path2D("M12 3l9 9-9 9-9-9z");
    pen.fillStyle = palette.halo;
    pen.fill(flag);
    pen.strokeStyle = palette.textDim;
    pen.lineWidth = 3;
    pen.stroke(flag);
  });
}

/** A square that repeats without a seam, `size_px` large on the map. */
function tile(size_px: number, draw: (pen: CanvasRenderingContext2D, side: number) => void): ImageData | null {
  const side = size_px * PIXEL_RATIO;
  const element = document.createElement("canvas");
  element.width = side;
  element.height = side;
  const pen = element.getContext("2d", { willReadFrequently: true });
  if (!pen) return null;
  draw(pen, side);
  return pen.getImageData(0, 0, side, side);
}

/** Ground that is not covered at present; `doubt`: the camera looks somewhere else, the strokes lean to the other side. */
function hatch(doubt: boolean, palette: Palette): ImageData | null {
  return tile(8, (pen, side) => {
    pen.strokeStyle = palette.fault;
    pen.lineWidth = 2.4;
    pen.beginPath();
    for (const at of [-side, 0, side]) {
      pen.moveTo(doubt ? side - at : at, -1);
      pen.lineTo(doubt ? -at - 1 : at + side + 1, side);
    }
    pen.stroke();
  });
}

function dots(palette: Palette): ImageData | null {
  return tile(8, (pen, side) => {
    pen.fillStyle = palette.textDim;
    pen.arc(side / 2, side / 2, 1.6, 0, 2 * Math.PI);
    pen.fill();
  });
}
