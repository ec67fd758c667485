import { useEffect, useRef, useState } from "preact/hooks";

import { cameraPicture } from "../../api";
import { lapse, now, serverNow } from "../../clock";
import { t, word } from "../../i18n";
import { facts } from "../facts";
import type { Outline } from "../records";
import { arrowStep, beginDrag } from "./drag";
import { keyOf, pointAdded, pointMoved, shapesOf, shifted, type Layer, type Shape } from "./outlines";
import { addShape, chosenShape, draft, removePoint, removeShape, setPoints, settle } from "./work";

const LAYERS: readonly Layer[] = ["privacy", "ignore", "zone", "line"];
/** One step of an arrow key, as a share of the picture. */
const STEP = 0.005;
/** A shorter drag was meant as a click. */
const LEAST_DRAG = 0.02;

/** Zones, lines and masks on a fresh picture of the camera. */
export function Picture({ camera }: { camera: string }) {
  const [stamp, setStamp] = useState(() => Math.round(serverNow()));
  const [failed, setFailed] = useState(false);
  const [tool, setTool] = useState<Layer | null>(null);
  return (
    <section class="picture" aria-label={t("picture.title")} data-testid="picture">
      <div class="picture-tools" role="toolbar" aria-label={t("picture.title")}>
        {LAYERS.map((one) => (
          <button
            key={one}
            type="button"
            class="btn small"
            aria-pressed={tool === one}
            data-testid={`tool-${one}`}
            onClick={() => {
              if (tool === one) {
                // Pressed again, as a keyboard does: in the middle of the picture.
                addShape(one, kindFor(one));
                setTool(null);
              } else setTool(one);
            }}
          >
            <i class={`swatch ${one}`} /> {word("picture.layer", one)}
          </button>
        ))}
        <span class="dim">{tool ? t("picture.draw") : t("picture.keys")}</span>
        <button
          type="button"
          class="btn small"
          onClick={() => {
            setFailed(false);
            setStamp(Math.round(serverNow()));
          }}
        >
          {t("picture.fresh", { age: lapse(now.value - stamp) })}
        </button>
      </div>
      <div class="picture-frame">
        {failed ? (
          <div class="picture-none">{t("picture.none")}</div>
        ) : (
          <img src={cameraPicture(camera, stamp)} alt={t("picture.alt", { camera })} draggable={false} onError={() => setFailed(true)} />
        )}
        <Canvas tool={tool} onDrawn={() => setTool(null)} />
      </div>
    </section>
  );
}

/** The first kind of rule that has such a shape. */
export function kindFor(layer: Layer): string {
  const kinds = Object.entries(facts.value?.rule_kinds ?? {});
  return kinds.find(([, about]) => about.keys.includes(layer))?.[0] ?? "";
}

function Canvas({ tool, onDrawn }: { tool: Layer | null; onDrawn: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<{ from: [number, number]; to: [number, number] } | null>(null);
  const at = (x: number, y: number): [number, number] => {
    const { left, top, width, height } = box.current?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
    return [(x - left) / width, (y - top) / height];
  };
  const begin = (event: PointerEvent): void => {
    if (!tool) return;
    const from = at(event.clientX, event.clientY);
    let to = from;
    beginDrag(event, {
      onMove: (x, y) => {
        to = at(x, y);
        setDrawn({ from, to });
      },
      onEnd: () => {
        setDrawn(null);
        if (Math.abs(to[0] - from[0]) + Math.abs(to[1] - from[1]) > LEAST_DRAG) addShape(tool, kindFor(tool), from, to);
        onDrawn();
      },
    });
  };
  const shapes = shapesOf(draft.value);
  const chosen = chosenShape.value && keyOf(chosenShape.value);
  return (
    <div ref={box} class={`picture-canvas${tool ? " drawing" : ""}`} data-testid="picture-canvas" onPointerDown={begin}>
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {shapes.map((shape) => (
          <ShapePath key={keyOf(shape)} shape={shape} chosen={keyOf(shape) === chosen} at={at} canMove={tool === null} />
        ))}
        {drawn && (
          <rect
            class="drawn"
            x={Math.min(drawn.from[0], drawn.to[0])}
            y={Math.min(drawn.from[1], drawn.to[1])}
            width={Math.abs(drawn.to[0] - drawn.from[0])}
            height={Math.abs(drawn.to[1] - drawn.from[1])}
          />
        )}
      </svg>
      {shapes
        .filter((shape) => keyOf(shape) === chosen)
        .map((shape) => (
          <Handles key={keyOf(shape)} shape={shape} at={at} />
        ))}
    </div>
  );
}

interface ShapePathProps {
  shape: Shape;
  chosen: boolean;
  at: (x: number, y: number) => [number, number];
  canMove: boolean;
}

function ShapePath({ shape, chosen, at, canMove }: ShapePathProps) {
  const begin = (event: PointerEvent): void => {
    if (!canMove) return;
    chosenShape.value = { layer: shape.layer, index: shape.index };
    const [x0, y0] = at(event.clientX, event.clientY);
    const points = shape.points;
    beginDrag(event, {
      onMove: (x, y) => {
        const [x1, y1] = at(x, y);
        setPoints(shape, shifted(points, x1 - x0, y1 - y0), `all-${keyOf(shape)}`);
      },
      onEnd: settle,
    });
  };
  const points = shape.points.map(([x, y]) => `${x},${y}`).join(" ");
  const look = `shape ${shape.layer}${chosen ? " chosen" : ""}`;
  return shape.layer === "line" ? (
    <polyline class={look} points={points} vector-effect="non-scaling-stroke" onPointerDown={begin} />
  ) : (
    <polygon class={look} points={points} vector-effect="non-scaling-stroke" onPointerDown={begin} />
  );
}

function Handles({ shape, at }: { shape: Shape; at: (x: number, y: number) => [number, number] }) {
  const { points } = shape;
  const sides = shape.layer === "line" ? points.length - 1 : points.length;
  return (
    <>
      {points.map((point, index) => (
        <PointHandle key={index} shape={shape} index={index} point={point} at={at} />
      ))}
      {points.slice(0, sides).map(([x, y], index) => {
        const [x2, y2] = points[(index + 1) % points.length] ?? [x, y];
        return (
          <button
            key={index}
            type="button"
            class="side-handle"
            style={{ left: `${50 * (x + x2)}%`, top: `${50 * (y + y2)}%` }}
            aria-label={t("picture.side", { n: index + 1 })}
            title={t("picture.side", { n: index + 1 })}
            onPointerDown={(event) => event.stopPropagation()}
            onClick={() => setPoints(shape, pointAdded(points, index))}
          />
        );
      })}
    </>
  );
}

interface PointHandleProps {
  shape: Shape;
  index: number;
  point: Outline[number];
  at: (x: number, y: number) => [number, number];
}

function PointHandle({ shape, index, point, at }: PointHandleProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The first corner of a new shape takes the focus, so that arrow keys work at once.
    if (index === 0) button.current?.focus();
  }, []);
  const onKey = (event: KeyboardEvent): void => {
    const step = arrowStep(event);
    if (step) setPoints(shape, pointMoved(shape.points, index, point[0] + step.x * STEP, point[1] + step.y * STEP), `point-${index}`);
    else if (event.key === "Delete" && event.shiftKey) removeShape(shape);
    else if (event.key === "Delete" || event.key === "Backspace") removePoint(shape, index);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <button
      ref={button}
      type="button"
      class={`point-handle ${shape.layer}`}
      style={{ left: `${100 * point[0]}%`, top: `${100 * point[1]}%` }}
      aria-label={t("picture.point", { n: index + 1, of: shape.points.length })}
      data-testid="point-handle"
      onKeyDown={onKey}
      onKeyUp={settle}
      onPointerDown={(event) =>
        beginDrag(event, {
          onMove: (x, y) => setPoints(shape, pointMoved(shape.points, index, ...at(x, y)), `point-${index}`),
          onEnd: settle,
        })
      }
    />
  );
}
