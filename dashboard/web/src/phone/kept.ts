/** What a phone keeps in its database across reloads: photos that wait, and the site, so that places have names without network. */

const NAME = "gridpatrol.phone";
const STORES = ["photos", "facts"] as const;

export type StoreName = (typeof STORES)[number];

function opened(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 2);
    request.onupgradeneeded = () => {
      for (const store of STORES) if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error ?? new Error("this browser keeps nothing"));
  });
}

/** One question to one store; raises when the browser keeps nothing or has no room. */
export async function ask<T>(name: StoreName, mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await opened();
  try {
    return await new Promise<T>((done, failed) => {
      const transaction = database.transaction(name, mode);
      const request = work(transaction.objectStore(name));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = () => failed(transaction.error ?? new Error("this browser keeps nothing"));
    });
  } finally {
    database.close();
  }
}
