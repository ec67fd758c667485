/** Reading a checkpoint's code by camera (Barcode Detection API) or NFC (Web NFC), in browsers that have them. */

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}

interface TagReader extends EventTarget {
  scan(options: { signal: AbortSignal }): Promise<void>;
}

interface TagReading extends Event {
  message: { records: { recordType: string; data?: DataView; encoding?: string }[] };
}

const device = globalThis as unknown as {
  BarcodeDetector?: new (options: { formats: string[] }) => Detector;
  NDEFReader?: new () => TagReader;
};

/** Four looks a second find a code as soon as it is held still, and keep a small phone cool. */
const LOOK_MS = 250;

export const canScan = (): boolean => device.BarcodeDetector !== undefined && navigator.mediaDevices !== undefined;
export const canReadTags = (): boolean => device.NDEFReader !== undefined;

/** Shows the camera in `video` and tells every code that it sees, until `signal`; raises if the camera may not be used. */
export async function scanInto(video: HTMLVideoElement, signal: AbortSignal, onCode: (text: string) => void): Promise<void> {
  if (!device.BarcodeDetector) throw new Error("this browser reads no codes");
  const detector = new device.BarcodeDetector({ formats: ["qr_code"] });
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  const stop = (): void => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop);
  video.srcObject = stream;
  await video.play();
  while (!signal.aborted) {
    for (const { rawValue } of await detector.detect(video).catch(() => [])) if (!signal.aborted) onCode(rawValue);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

/** Tells the text of every tag that the phone is held to, until `signal`; raises if it may not read any. */
export async function readTags(signal: AbortSignal, onCode: (text: string) => void): Promise<void> {
  if (!device.NDEFReader) throw new Error("this browser reads no tags");
  const reader = new device.NDEFReader();
  reader.addEventListener("reading", (event) => {
    for (const { recordType, data, encoding } of (event as TagReading).message.records) {
      if (recordType === "text" && data) onCode(new TextDecoder(encoding ?? "utf-8").decode(data));
    }
  });
  await reader.scan({ signal });
}
