/** Colours of the map. In the normal state it is grey: only alarms and faults carry colour. */

import type { Theme } from "../prefs";
import type { Level } from "../records";

export interface Palette {
  ground: string;
  district: string;
  districtLine: string;
  communityLine: string;
  cellLine: string;
  compound: string;
  compoundLine: string;
  building: string;
  buildingLine: string;
  text: string;
  textDim: string;
  halo: string;
  camera: string;
  cameraLine: string;
  cone: string;
  fault: string;
  team: string;
  onTeam: string;
  level: Record<Level, string>;
  onLevel: Record<Level, string>;
  levelText: Record<Level, string>;
  levelLine: Record<Level, string>;
}

export const PALETTES: Readonly<Record<Theme, Palette>> = {
  dark: {
    ground: "#0b0e12",
    district: "#10141a",
    districtLine: "#566273",
    communityLine: "#4a5666",
    cellLine: "#313b48",
    compound: "#171d25",
    compoundLine: "#29323e",
    building: "#232b36",
    buildingLine: "#333e4c",
    text: "#c3ccd7",
    textDim: "#99a5b3",
    halo: "#0b0e12",
    camera: "#93a0b0",
    cameraLine: "#0b0e12",
    cone: "#b8c4d2",
    fault: "#c99bff",
    team: "#f2f5f8",
    onTeam: "#0e1217",
    level: { 1: "#ff5a4f", 2: "#ff9d3d", 3: "#ffdc4a", 4: "#45cdf0" },
    onLevel: { 1: "#1c0503", 2: "#1f1002", 3: "#1d1800", 4: "#00161d" },
    levelText: { 1: "#ff8a82", 2: "#ffae5e", 3: "#ffdc4a", 4: "#6bd8f4" },
    levelLine: { 1: "#ff5a4f", 2: "#ff9d3d", 3: "#ffdc4a", 4: "#45cdf0" },
  },
  light: {
    ground: "#dfe4ea",
    district: "#eef1f4",
    districtLine: "#7b8896",
    communityLine: "#96a2af",
    cellLine: "#c0c9d3",
    compound: "#f8fafb",
    compoundLine: "#ced6de",
    building: "#dde3e9",
    buildingLine: "#c2ccd6",
    text: "#2b3643",
    textDim: "#525f6d",
    halo: "#f4f6f8",
    camera: "#556271",
    cameraLine: "#ffffff",
    cone: "#56687c",
    fault: "#7b3fc4",
    team: "#18202a",
    onTeam: "#ffffff",
    level: { 1: "#d3261d", 2: "#d96a00", 3: "#e2b100", 4: "#007fa4" },
    onLevel: { 1: "#ffffff", 2: "#1f1002", 3: "#1d1800", 4: "#ffffff" },
    levelText: { 1: "#b81c14", 2: "#9a4a00", 3: "#755b00", 4: "#006c8c" },
    levelLine: { 1: "#d3261d", 2: "#d96a00", 3: "#8a6c00", 4: "#007fa4" },
  },
};
