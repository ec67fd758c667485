/** Photos that wait on the phone: made small, without what the camera wrote into them, kept across reloads until they are sent. */

import { ask } from "./kept";

/** As the server keeps them; more is only a longer wait in a stairwell. */
export const LONGEST_PX = 1600;
const QUALITY = 0.85;
export const MOST_PHOTOS = 4;

/** The size a picture is drawn with: at most LONGEST_PX on its longer side, never enlarged. */
export function fitted(width: number, height: number): [width: number, height: number] {
  const scale = Math.min(1, LONGEST_PX / Math.max(width, height));
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** The picture drawn anew as JPEG: upright, and of the file nothing but its pixels, so no place and no name of the phone. */
export async function shrink(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const [width, height] = fitted(picture.width, picture.height);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.drawImage(picture, 0, 0, width, height);
  picture.close();
  const jpeg = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!jpeg) throw new Error("no picture came out of the canvas");
  return jpeg;
}

/** Keeps a photo under its id; raises when the phone has no room. */
export async function keepPhoto(id: string, jpeg: Blob): Promise<void> {
  await ask("photos", "readwrite", (store) => store.put(jpeg, id));
}

export async function keptPhoto(id: string): Promise<Blob | null> {
  return ((await ask("photos", "readonly", (store) => store.get(id))) as Blob | undefined) ?? null;
}

export async function dropPhoto(id: string): Promise<void> {
  await ask("photos", "readwrite", (store) => store.delete(id));
}

/** Forgets what nothing in the outbox names, such as the photos of a page that was closed while it kept them. */
export async function dropOthers(wanted: readonly string[]): Promise<void> {
  const kept = await ask("photos", "readonly", (store) => store.getAllKeys());
  await Promise.all(kept.map(String).filter((id) => !wanted.includes(id)).map(dropPhoto));
}
