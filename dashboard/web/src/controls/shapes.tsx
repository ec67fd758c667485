/** The signs of the page: alarm levels, camera health, and icons, drawn so that shape alone tells them apart. */

import type { Health, Level } from "../records";

/** Outlines in a 24 × 24 box: octagon, triangle, square, diamond. */
export const LEVEL_OUTLINE: Readonly<Record<Level, string>> = {
  1: "M7.9 1.8h8.2l6.1 6.1v8.2l-6.1 6.1H7.9l-6.1-6.1V7.9z",
  2: "M12 1.6 23 21.4H1z",
  3: "M2.6 2.6h18.8v18.8H2.6z",
  4: "M12 .9 23.1 12 12 23.1.9 12z",
};

/** Where the digit stands in its outline (the triangle's middle is lower). */
export const DIGIT_Y: Readonly<Record<Level, number>> = { 1: 12.4, 2: 15, 3: 12.4, 4: 12.4 };

interface LevelShapeProps {
  level: Level;
  size?: number;
  hollow?: boolean;
  flash?: boolean;
  dim?: boolean;
}

/** Colour + shape + digit of a level; hollow once acknowledged. Flashing leaves the outline and the digit readable. */
export function LevelShape({ level, size = 22, hollow = false, flash = false, dim = false }: LevelShapeProps) {
  const colour = dim ? "var(--text-3)" : `var(--level-${level})`;
  const line = dim ? colour : `var(--level-${level}-line)`;
  const outline = { d: LEVEL_OUTLINE[level], stroke: line, "stroke-linejoin": "round" } as const;
  const digit = {
    x: 12,
    y: DIGIT_Y[level],
    "dominant-baseline": "central",
    "text-anchor": "middle",
    "font-size": 12.5,
    "font-weight": 700,
  } as const;
  return (
    <svg class="level-shape" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      {(hollow || flash) && (
        <>
          <path {...outline} fill="none" stroke-width={hollow ? 2 : 1.5} />
          <text {...digit} fill={dim ? colour : `var(--level-${level}-text)`}>
            {level}
          </text>
        </>
      )}
      {!hollow && (
        <g class={flash ? "flash" : ""} ref={flash ? inStep : null}>
          <path {...outline} fill={colour} stroke-width={1} />
          <text {...digit} fill={dim ? "var(--bg-1)" : `var(--on-level-${level})`}>
            {level}
          </text>
        </g>
      )}
    </svg>
  );
}

/** All that flashes flips at the same moment: calmer, and the page is drawn once for it. */
export function inStep(element: Element | null): void {
  requestAnimationFrame(() => element?.getAnimations().forEach((one) => (one.startTime = 0)));
}

/** Full dot, half dot, crossed ring. */
export function HealthSign({ health, size = 12 }: { health: Health; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 12 12" aria-hidden="true">
      {health === "online" && <circle cx="6" cy="6" r="3.4" fill="currentColor" />}
      {health === "degraded" && (
        <>
          <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" stroke-width="1.4" />
          <path d="M6 1.6a4.4 4.4 0 0 1 0 8.8z" fill="currentColor" />
        </>
      )}
      {health === "offline" && (
        <path d="M2.5 2.5l7 7m0-7l-7 7" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" />
      )}
    </svg>
  );
}

const ICONS = {
  room: "M3 4h7v9H3zM14 4h7v5h-7zM14 13h7v7h-7zM3 17h7v3H3z",
  wall: "M3.5 4.5h17v15h-17zM3.5 9.5h17M3.5 14.5h17M9.2 4.5v15M14.8 4.5v15",
  board: "M4 4h16v16H4zM9.5 4v16M15 4v16M4 9h5.5M15 13h5",
  coverage: "M4 20L9 5l4 9M9 5l11 6-7 9zM4 20h9",
  cameras: "M3 7h12v10H3zM15 11l6-3.5v9L15 13z",
  teams: "M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11zm-6 8c0-3 2.5-5 6-5s6 2 6 5M16 5a3 3 0 0 1 0 5.8M17.5 14.3c2.2.6 3.5 2.3 3.5 4.7",
  reports: "M4 20h16M6 20v-6h3v6M11 20V9h3v11M16 20V4h3v16",
  users: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c0-3.6 3-6 7.5-6s7.5 2.4 7.5 6",
  sound: "M4 9.5v5h3.5L12 18.5V5.5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11",
  mute: "M4 9.5v5h3.5L12 18.5V5.5L7.5 9.5zM16 9.5l5 5m0-5l-5 5",
  sun: "M12 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 2v2m0 16v2M4.9 4.9l1.4 1.4m11.4 11.4l1.4 1.4M2 12h2m16 0h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.3a2.6 2.6 0 1 1 3.7 2.4c-.8.4-1.2.9-1.2 1.8M12 16.5v.2",
  leave: "M10 4H5v16h5M15 8l4 4-4 4M19 12H9",
  close: "M6 6l12 12M18 6L6 18",
  home: "M4 4h6M4 4v6M20 4h-6M20 4v6M4 20h6M4 20v-6M20 20h-6M20 20v-6",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  phone: "M8 2.5h8v19H8zM11 18.5h2",
  pin: "M12 21s7-6.2 7-11.5a7 7 0 1 0-14 0C5 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  enlarge: "M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7",
  bell: "M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 2h-15zM10 21h4",
  tone: "M9 17.5V5.5l11-2v12M9 17.5a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0zM20 15.5a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0z",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L21 21",
} as const;

export type IconName = keyof typeof ICONS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={ICONS[name]} />
    </svg>
  );
}
