/** Photos that wait on the phone: made small, without what the camera wrote into them, kept across reloads until they are sent. */

/** As the server keeps them; more is only a longer wait in a stairwell. */
export const LONGEST_PX = 1600;
const QUALITY = 0.85;
export const MOST_PHOTOS = 4;

const NAME = "gridpatrol.phone";
const STORE = "photos";

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

function opened(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error ?? new Error("this browser keeps nothing"));
  });
}

async function ask<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise<T>((done, failed) => {
      const transaction = database.transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = () => failed(transaction.error ?? new Error("this browser keeps nothing"));
    });
  } finally {
    database.close();
  }
}

/** Keeps a photo under its id; raises when the phone has no room. */
export async function keepPhoto(id: string, jpeg: Blob): Promise<void> {
  await ask("readwrite", (store) => store.put(jpeg, id));
}

export async function keptPhoto(id: string): Promise<Blob | null> {
  return ((await ask("readonly", (store) => store.get(id))) as Blob | undefined) ?? null;
}

export async function dropPhoto(id: string): Promise<void> {
  await ask("readwrite", (store) => store.delete(id));
}

/** Forgets what nothing in the outbox names, such as the photos of a page that was closed while it kept them. */
export async function dropOthers(wanted: readonly string[]): Promise<void> {
  const kept = await ask("readonly", (store) => store.getAllKeys());
  await Promise.all(kept.map(String).filter((id) => !wanted.includes(id)).map(dropPhoto));
}
