import "./live.css";

import { useEffect, useRef, useState } from "preact/hooks";

import { cameraPicture } from "../api";
import { lapse, now, serverNow, written } from "../clock";
import { t } from "../i18n";
import { cameraById, cameraName } from "../state";
import { posterOf } from "./poster";
import { useSeen } from "./seen";
import { LivePicture, type LiveState } from "./whep";

/** A picture that has not changed for so long is said to stand still. */
const STALLED_MS = 3_000;
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 20_000;

interface LiveTileProps {
  camera: string;
  testid?: string;
  onClick?: () => void;
  /** Called when the picture begins to move. */
  onMoving?: () => void;
  /** Drawn so large that the main stream is worth it, where the camera has one. */
  large?: boolean;
}

/** The cached still at once, then the moving picture over it while somebody can see it; its state and age are always written on it. */
export function LiveTile(props: LiveTileProps) {
  return <OneCamera key={props.camera} {...props} />; // nothing of one camera's picture is left on another's
}

function OneCamera({ camera, testid = "live-video", onClick, onMoving, large = false }: LiveTileProps) {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const seen = useSeen(video);
  const frames = useRef(0);
  const lastFrame_ms = useRef(0);
  const [state, setState] = useState<LiveState>("connecting");
  const [reason, setReason] = useState("");
  const [attempt, setAttempt] = useState(0);
  // A main stream that fails is not asked for again: the sub-stream takes its place.
  const [mainFailed, setMainFailed] = useState(false);
  const stream = large && !mainFailed && cameraById.value.get(camera)?.properties.has_main ? "main" : "sub";
  const asked_ms = useRef(serverNow()).current;
  const [arrived, setArrived] = useState(false);
  const [poster] = useState(() => posterOf(camera));
  const still_ms = arrived || !poster ? asked_ms : asked_ms - poster.age_ms;

  useEffect(() => {
    const element = video.current;
    if (!element || !canvas.current || !seen) return;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const picture = new LivePicture(camera, stream, element, canvas.current, {
      onState: (next, why) => {
        setState(next);
        setReason(why);
        if (next === "playing") onMoving?.();
        if (next === "failed" && stream === "main") setMainFailed(true);
        else if (next === "failed") {
          const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
          retry = setTimeout(() => setAttempt(attempt + 1), wait * (0.75 + Math.random() / 2));
        }
      },
      onFrame: () => {
        frames.current += 1;
        lastFrame_ms.current = Date.now();
        element.dataset.frames = String(frames.current);
      },
    });
    void picture.start();
    return () => {
      clearTimeout(retry);
      picture.stop();
    };
  }, [camera, attempt, seen, stream]);

  // Reading the clock draws the tile anew every second.
  void now.value;
  const quiet_ms = state === "playing" ? Date.now() - lastFrame_ms.current : 0;
  const shown = state === "playing" && quiet_ms > STALLED_MS ? "stalled" : state;
  return (
    <figure class={`live ${shown}`} data-state={shown} data-stream={stream} onDblClick={onClick}>
      {poster && <img class="live-still" src={poster.address} alt="" />}
      <img class="live-still" src={cameraPicture(camera, asked_ms)} alt="" onLoad={() => setArrived(true)} />
      <video ref={video} muted playsInline autoplay data-testid={testid} data-frames="0" aria-label={t("live.region", { camera: cameraName(camera) })} />
      <canvas ref={canvas} hidden role="img" aria-label={t("live.region", { camera: cameraName(camera) })} />
      <figcaption class={`live-state ${shown}`}>
        {shown === "playing" && (
          <>
            <Moving frames={frames.current} />
            {t("live.playing")} <span class="num">{written(serverNow()).time}</span>
          </>
        )}
        {shown === "connecting" && t("live.connecting")}
        {shown === "stalled" && t("live.stalled", { time: lapse(quiet_ms) })}
        {shown === "failed" && t("live.failed")}
      </figcaption>
      {shown !== "playing" && shown !== "stalled" && (arrived || poster) && (
        <span class="live-age num">{t("live.still", { age: lapse(serverNow() - still_ms) })}</span>
      )}
      {shown === "failed" && (
        <Failed reason={reason} onRetry={() => setAttempt(attempt + 1)} />
      )}
    </figure>
  );
}

function Failed({ reason, onRetry }: { reason: string; onRetry: () => void }) {
  return (
    <div class="live-failed">
      {reason && <p>{reason}</p>}
      <button type="button" class="btn small" onClick={onRetry}>
        {t("live.retry")}
      </button>
    </div>
  );
}

/** Three bars that step with arriving frames: they stand still when the picture does. */
function Moving({ frames }: { frames: number }) {
  const at = Math.floor(frames / 5) % 3;
  return (
    <svg width="12" height="10" viewBox="0 0 12 10" aria-hidden="true">
      {[0, 1, 2].map((bar) => (
        <rect key={bar} x={bar * 4.5} y={bar === at ? 0 : 4} width="3" height={bar === at ? 10 : 6} fill="currentColor" />
      ))}
    </svg>
  );
}
