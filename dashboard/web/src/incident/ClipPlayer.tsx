import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

import { eventClip, eventPicture } from "../api";
import { written } from "../clock";
import { t } from "../i18n";
import type { ClipRecord, EventRecord } from "../records";
import { clipControls } from "./clip";
import { partsOf } from "./parts";

type Video = RefObject<HTMLVideoElement>;

interface PictureProps {
  clip: ClipRecord;
  video: Video;
  /** Whether it is shown: the still lies over it until somebody plays. */
  shown: boolean;
  onRefused: () => void;
}

/** The video of a clip; without controls of its own, those are in the bar. */
export function ClipPicture({ clip, video, shown, onRefused }: PictureProps) {
  return (
    <video
      ref={video}
      class="clip-video"
      hidden={!shown}
      src={eventClip(clip.event)}
      poster={eventPicture(clip.event)}
      preload="metadata"
      muted
      playsInline
      disablePictureInPicture
      data-testid="incident-clip"
      onError={onRefused}
    />
  );
}

interface BarProps {
  clip: ClipRecord;
  event: EventRecord | null;
  video: Video;
  /** Somebody plays or steps: the video is to be seen. */
  onUse: () => void;
  /** In the panel the keys act on it. */
  keys: boolean;
}

/** Play, step, and where in the clip one is: before, during or after the event. */
export function ClipBar({ clip, event, video, onUse, keys }: BarProps) {
  const [at, setAt] = useState(0);
  const [playing, setPlaying] = useState(false);
  const length = Math.max(0.1, (Date.parse(clip.ended_at) - Date.parse(clip.began_at)) / 1000);
  const began = event ? (Date.parse(event.began_at) - Date.parse(clip.began_at)) / 1000 : 0;

  useEffect(() => {
    const player = video.current;
    if (!player) return;
    const follow = (): void => {
      setAt(player.currentTime);
      setPlaying(!player.paused && !player.ended);
    };
    // A frame at a time while it plays: the events of a player come four times a second.
    let frame = 0;
    const tick = (): void => {
      follow();
      if (!player.paused) frame = requestAnimationFrame(tick);
    };
    const names = ["play", "pause", "seeked", "ended", "loadedmetadata"] as const;
    const onPlay = (): void => tick();
    for (const name of names) player.addEventListener(name, name === "play" ? onPlay : follow);
    return () => {
      cancelAnimationFrame(frame);
      for (const name of names) player.removeEventListener(name, name === "play" ? onPlay : follow);
    };
  }, [clip.event]);

  const toggle = (): void => {
    const player = video.current;
    if (!player) return;
    onUse();
    if (player.paused) void player.play().catch(() => undefined);
    else player.pause();
  };
  const seek = (second: number): void => {
    const player = video.current;
    if (!player) return;
    onUse();
    player.pause();
    player.currentTime = Math.min(Math.max(second, 0), length);
  };
  const step = (frames: number): void => {
    if (video.current) seek(video.current.currentTime + (frames * length) / Math.max(1, clip.frames));
  };

  useEffect(() => {
    if (!keys) return;
    const mine = { toggle, step };
    clipControls.value = mine;
    return () => {
      if (clipControls.peek() === mine) clipControls.value = null;
    };
  }, [clip.event, keys]);

  const gap = partsOf(clip, event).find(({ kind, from, to }) => kind === "gap" && at > from && at < to);
  const offset = at - began;
  return (
    <div class="clip-bar" data-testid="clip-bar" data-playing={playing}>
      <button type="button" class="clip-button" onClick={toggle}>
        {t(playing ? "clip.pause" : "clip.play")} {keys && <kbd>{t("clip.space")}</kbd>}
      </button>
      <button type="button" class="clip-button" aria-label={t("clip.back")} title={t("clip.back")} onClick={() => step(-1)}>
        <kbd>,</kbd>
      </button>
      <button type="button" class="clip-button" aria-label={t("clip.forward")} title={t("clip.forward")} onClick={() => step(1)}>
        <kbd>.</kbd>
      </button>
      <Line clip={clip} event={event} at={at} length={length} onSeek={seek} />
      <span class="clip-at num">
        {written(Date.parse(clip.began_at) + at * 1000).time} {gap ? t("clip.gap") : `${offset < 0 ? "−" : "+"}${Math.abs(offset).toFixed(1)} s`}
      </span>
      <a class="clip-button" href={eventClip(clip.event)} download="">
        {t("clip.save")}
      </a>
    </div>
  );
}

interface LineProps {
  clip: ClipRecord;
  event: EventRecord | null;
  at: number;
  length: number;
  onSeek: (second: number) => void;
}

/** The whole clip as a line, its parts told apart by height as well as by shade. */
function Line({ clip, event, at, length, onSeek }: LineProps) {
  const x = (second: number): number => (1000 * second) / length;
  const seek = (pointer: PointerEvent): void => {
    if (pointer.type === "pointermove" && pointer.buttons !== 1) return;
    const box = (pointer.currentTarget as Element).getBoundingClientRect();
    onSeek((length * (pointer.clientX - box.left)) / box.width);
  };
  return (
    <svg
      class="clip-line"
      viewBox="0 0 1000 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={t("clip.parts")}
      onPointerDown={seek}
      onPointerMove={seek}
    >
      <rect class="clip-part whole" x="0" y="0" width="1000" height="20" />
      {partsOf(clip, event).map(({ kind, from, to }, index) => (
        <rect
          key={index}
          class={`clip-part ${kind}`}
          x={x(from)}
          y={kind === "during" ? 2 : kind === "gap" ? 0 : 7}
          width={x(to) - x(from)}
          height={kind === "during" ? 16 : kind === "gap" ? 20 : 6}
        />
      ))}
      <rect class="clip-head" x={x(at) - 3} y="0" width="6" height="20" />
    </svg>
  );
}
